// The quickstart's browser page, in a real browser with a recording as its microphone. What it sends is WebM
// with Opus in it, cut every 250 ms without regard to anything.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { startSandbox } from "./lib/bridge.mjs";
import { here } from "./lib/program.mjs";
import { wav, wordsHeard } from "./lib/voice.mjs";

test("the quickstart's page shows what the microphone hears", { timeout: 180_000 }, async (t) => {
  const sandbox = await startSandbox(t, "--source", "speech");
  const browser = await startBrowser(t, await wav(t, 48000));
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (err) => problems.push(err.message));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));

  const query = new URLSearchParams({ url: `${sandbox}/v1/listen`, key: "org_peers" });
  await page.goto(`${await serve(t, "clients/live.html")}?${query}`);
  await page.click("#start");
  await page.waitForFunction(
    () => document.getElementById("transcript").textContent.split("\n").length > 3,
    undefined,
    { timeout: 120_000 },
  );
  const text = await page.textContent("#transcript");
  await page.click("#stop");

  t.diagnostic(text.trim().replaceAll("\n", " / "));
  assert.ok(wordsHeard(text).length >= 2, `got ${text}`);
  assert.deepEqual(problems, []);
});

/** Debian's Chromium, headless, with a WAV file as its microphone and nothing to say to the internet. */
async function startBrowser(t, microphone) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${microphone}`,
      "--no-sandbox", // also runs as root
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
      "--disable-gpu",
      "--no-first-run",
    ],
  });
  t.after(() => browser.close());
  return browser;
}

/** Serves one page on a free port: browsers give the microphone to secure contexts only, and loopback is one. */
async function serve(t, path) {
  const page = await readFile(here(path));
  const server = createServer((request, response) => {
    const known = request.url.startsWith("/?");
    response.writeHead(known ? 200 : 204, { "content-type": "text/html; charset=utf-8" }).end(known ? page : undefined);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/`;
}
