// Twilio's own library signs; `bridge serve` accepts what it signed, and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DOMParser, onErrorStopParsing } from "@xmldom/xmldom";
import twilio from "twilio";
import { WebSocket } from "ws";
import { startServer } from "./lib/bridge.mjs";
import { startReceiver } from "./lib/receiver.mjs";
import { directory } from "./lib/voice.mjs";

const TOKEN = "0123456789abcdef0123456789abcdef";
const VOICE = "https://bridge.example.com/voice/twilio";
const MEDIA = "wss://bridge.example.com/media/twilio";

/** What Twilio would send as X-Twilio-Signature. An upgrade has no parameters. */
const sign = (url, form = {}, token = TOKEN) => twilio.getExpectedTwilioSignature(token, url, form);

const without = (name) => Object.fromEntries(Object.entries(form).filter(([key]) => key !== name));
const flipped = (signature) => (signature[0] === "A" ? "B" : "A") + signature.slice(1);

// A call's form as Twilio posts it. Callers choose some of it; this one is up to no good.
const form = {
  AccountSid: "AC00000000000000000000000000000001",
  ApiVersion: "2010-04-01",
  CallSid: "CA00000000000000000000000000000001",
  CallStatus: "ringing",
  CallerName: "",
  Direction: "inbound",
  From: `sip:"<Hangup/>"\n\t&'>]]>&amp;é@example.com`,
  To: `client:a"/><Reject reason="busy`,
};

const start = (t, env) =>
  startServer(t, { TWILIO_AUTH_TOKEN: TOKEN, BRIDGE_PUBLIC_URL: "https://bridge.example.com", BRIDGE_SANDBOX: "marker", ...env });

/** Posts the form as Twilio does. */
function ring(address, signature, fields = form) {
  const headers = signature === undefined ? {} : { "X-Twilio-Signature": signature };
  return fetch(`http://${address}/voice/twilio`, { method: "POST", headers, body: new URLSearchParams(fields) });
}

/** Asks for the WebSocket as Twilio does. Returns the status, and the socket if it is 101. */
function upgrade(address, signature, path = "/media/twilio") {
  const headers = { "User-Agent": "Twilio.TmeWs/1.0" };
  if (signature !== undefined) headers["X-Twilio-Signature"] = signature;
  const socket = new WebSocket(`ws://${address}${path}`, { headers, perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve({ status: 101, socket }));
    socket.on("unexpected-response", (request, response) => {
      request.destroy();
      resolve({ status: response.statusCode });
    });
    socket.on("error", reject);
  });
}

/** The <Stream> of a TwiML answer: its URL, and its parameters by name. Throws unless it is well-formed XML. */
function stream(twiml) {
  const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(twiml, "text/xml");
  const elements = (name) => [...document.getElementsByTagName(name)];
  assert.deepEqual([...elements("Hangup"), ...elements("Reject")], [], "what the caller says is data");
  const [connect] = elements("Stream");
  assert.equal(connect.parentNode.nodeName, "Connect");
  const parameters = elements("Parameter").map((p) => [p.getAttribute("name"), p.getAttribute("value")]);
  return { url: connect.getAttribute("url"), parameters: Object.fromEntries(parameters) };
}

test("a call that Twilio signed gets through, whatever the caller calls himself", { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t);
  const address = await start(t, { WEBHOOK_URL: receiver.url, BRIDGE_DATA_DIR: await directory(t) });

  const answer = await ring(address, sign(VOICE, form));
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type"), /^(text|application)\/xml\b/);
  const { url, parameters } = stream(await answer.text());
  assert.equal(url, MEDIA);
  assert.equal(parameters.from, form.From);
  assert.equal(parameters.to, form.To);

  // Twilio now opens the stream that the TwiML names, and hands back its parameters.
  const { status, socket } = await upgrade(address, sign(url));
  assert.equal(status, 101);
  assert.equal(socket.protocol, "");
  assert.equal(socket.extensions, "");
  for (const message of oneSecondCall(parameters)) socket.send(JSON.stringify(message));
  await receiver.until((deliveries) => deliveries.some((d) => d.event.type === "call.ended"));
  socket.terminate();
  const { id, from, to } = receiver.deliveries[0].event.data.call;
  assert.deepEqual({ id, from, to }, { id: form.CallSid, from: form.From, to: form.To });
});

test("an upgrade without a good signature gets 403", { timeout: 60_000 }, async (t) => {
  const address = await start(t);
  const refused = {
    "no signature": undefined,
    "empty": "",
    "one wrong character": flipped(sign(MEDIA)),
    "signed with another token": sign(MEDIA, {}, "another"),
    "replayed from another host": sign("wss://other.example.com/media/twilio"),
    "replayed from another path": sign("wss://bridge.example.com/media"),
    "replayed from the voice webhook": sign(VOICE, form),
  };
  for (const [what, signature] of Object.entries(refused)) {
    assert.equal((await upgrade(address, signature)).status, 403, what);
  }
  const elsewhere = await upgrade(address, sign(MEDIA), "/media");
  assert.equal(elsewhere.status, 403, "a good signature replayed on another path");
  const good = await upgrade(address, sign(MEDIA));
  assert.equal(good.status, 101, "and the good one still gets through");
  good.socket.terminate();
});

test("a voice webhook without a good signature gets 403", { timeout: 60_000 }, async (t) => {
  const address = await start(t);
  const good = sign(VOICE, form);
  const refused = {
    "no signature": [undefined],
    "empty": [""],
    "one wrong character": [flipped(good)],
    "signed with another token": [sign(VOICE, form, "another")],
    "replayed from another host": [sign("https://other.example.com/voice/twilio", form)],
    "replayed from another path": [sign("https://bridge.example.com/voice", form)],
    "replayed from an upgrade": [sign(MEDIA)],
    "signature without the form": [sign(VOICE)],
    "a field changed": [good, { ...form, From: "+15550100001" }],
    "a field added": [good, { ...form, Extra: "1" }],
    "a field left out": [good, without("CallerName")],
  };
  for (const [what, [signature, fields]] of Object.entries(refused)) {
    const answer = await ring(address, signature, fields);
    assert.equal(answer.status, 403, what);
    assert.doesNotMatch(await answer.text(), /<Response>/, what);
  }
  assert.equal((await ring(address, good)).status, 200, "and the good one still gets through");
});

/** All that Twilio sends for a second of silence: Media Streams messages connected, start, media, stop. */
function oneSecondCall(customParameters) {
  const { AccountSid: accountSid, CallSid: callSid } = form;
  const streamSid = "MZ00000000000000000000000000000001";
  const mediaFormat = { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 };
  const payload = Buffer.alloc(160, 0xff).toString("base64");
  const frames = Array.from({ length: 50 }, (_, i) => ({
    event: "media",
    sequenceNumber: String(i + 2),
    media: { track: "inbound", chunk: String(i + 1), timestamp: String(i * 20), payload },
    streamSid,
  }));
  return [
    { event: "connected", protocol: "Call", version: "1.0.0" },
    {
      event: "start",
      sequenceNumber: "1",
      start: { accountSid, streamSid, callSid, tracks: ["inbound"], mediaFormat, customParameters },
      streamSid,
    },
    ...frames,
    { event: "stop", sequenceNumber: "52", stop: { accountSid, callSid }, streamSid },
  ];
}
