// The clients that Aldea's quickstart publishes, and the SDK it recommends, get transcripts from the sandbox.
import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startSandbox } from "./lib/bridge.mjs";
import { here, output } from "./lib/program.mjs";
import { directory, wav, wordsHeard } from "./lib/voice.mjs";

// Debian's own Python, for which python3-websockets is installed.
const PYTHON = process.env.PYTHON ?? "/usr/bin/python3";
const KEY = "org_peers";

/** The clients: given the sandbox's base URL and a file, each is a command that prints finals. */
const clients = {
  "Python quickstart": (url, file) =>
    [PYTHON, [here("clients/quickstart.py"), `${url}/v1/listen?encoding=linear16&sample_rate=16000`, KEY, file]],
  "Node quickstart, @deepgram/sdk 4": (url, file) =>
    // https:// in the sample: the SDK opens a WebSocket to an http URL
    [process.execPath, [here("clients/quickstart-sdk4.mjs"), url.replace(/^ws:/, "http:"), KEY, file]],
  "@deepgram/sdk 5": (url, file) =>
    [process.execPath, [here("clients/sdk5.mjs"), url, KEY, file]],
};

for (const [name, command] of Object.entries(clients)) {
  test(`${name} prints every final of a script, in order`, { timeout: 60_000 }, async (t) => {
    const script = join(await directory(t), "script.txt");
    await writeFile(script, "0.5 hello world\n2.5-4.5 how are you\n8.0 grüße good bye\n");
    const url = await startSandbox(t, "--source", "script", "--script", script);
    const file = await wav(t, 16000);

    const finals = await output(t, ...command(url, file));
    assert.deepEqual(finals, ["hello world", "how are you", "grüße good bye"]);
    const inspection = await fetch(`${url.replace(/^ws:/, "http:")}/inspect`);
    const [connection] = (await inspection.json()).connections;
    const samples = ((await stat(file)).size - 44) / 2;
    assert.equal(connection.audio, samples / 16000, "all of the file was heard, and nothing of its header");
  });

  test(`${name} prints words that are spoken in a recording`, { timeout: 180_000 }, async (t) => {
    const url = await startSandbox(t, "--source", "speech");

    const finals = await output(t, ...command(url, await wav(t, 16000)));
    t.diagnostic(finals.join(" / "));
    assert.ok(finals.length >= 2, `got ${finals.length} finals, want one a sentence`);
    assert.ok(wordsHeard(finals.join(" ")).length >= 3, `got ${finals.join(" / ")}`);
  });
}
