// The same with major version 5 of @deepgram/sdk, which has another interface; after the sample in its README
// (Real-time Speech Recognition, Listen v1). Usage: sdk5.mjs BASE_URL API_KEY AUDIO_FILE.
// It reconnects by itself unless the server closes with code 1000, so its end tells that the close was right.
import { createReadStream } from "node:fs";
import { DeepgramClient } from "deepgram-sdk-5";

const [baseUrl, apiKey, file] = process.argv.slice(2);

const client = new DeepgramClient({ apiKey, baseUrl });
const connection = await client.listen.v1.connect({
  model: "nova-3",
  language: "en",
  encoding: "linear16",
  sample_rate: 16000,
  punctuate: "true",
  interim_results: "true",
});

connection.on("message", (data) => {
  if (data.type !== "Results" || !data.is_final) return;
  const { transcript } = data.channel.alternatives[0];
  if (transcript) console.log(transcript);
});
connection.on("error", (err) => {
  console.error("Error:", err.message);
  process.exitCode = 1;
});

connection.connect();
await connection.waitForOpen();
for await (const chunk of createReadStream(file, { highWaterMark: 4096 })) connection.sendMedia(chunk);
connection.sendCloseStream({ type: "CloseStream" });
