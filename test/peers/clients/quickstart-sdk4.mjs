// Aldea's streaming quickstart in Node, with major version 4 of @deepgram/sdk: stream a file, print the finals.
// Usage: quickstart-sdk4.mjs BASE_URL API_KEY AUDIO_FILE. Everything else is as in the published sample, down to
// the second it waits before it finishes.
import { createReadStream } from "node:fs";
import { createClient, LiveTranscriptionEvents } from "deepgram-sdk-4";

const [url, key, file] = process.argv.slice(2);

const client = createClient({ key, global: { url } });
const connection = client.listen.live({ encoding: "linear16", sample_rate: 16000, interim_results: true });

connection.on(LiveTranscriptionEvents.Open, () => {
  const stream = createReadStream(file, { highWaterMark: 4096 });
  stream.on("data", (chunk) => connection.send(chunk));
  stream.on("end", () => setTimeout(() => connection.finish(), 1000));
});

connection.on(LiveTranscriptionEvents.Transcript, (data) => {
  const transcript = data?.channel?.alternatives?.[0]?.transcript;
  if (transcript && data.is_final) console.log(transcript);
});

connection.on(LiveTranscriptionEvents.Error, (err) => {
  console.error("Error:", err.message);
  process.exitCode = 1;
});
