// The reference library of Standard Webhooks verifies what bridge POSTs.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { BRIDGE, startServer } from "./lib/bridge.mjs";
import { output } from "./lib/program.mjs";
import { startReceiver } from "./lib/receiver.mjs";
import { directory } from "./lib/voice.mjs";

const secret = () => `whsec_${randomBytes(32).toString("base64")}`;
const current = secret();
const previous = secret();
const text = "hello from a modem that says what it heard";

const ended = (calls) => (deliveries) => deliveries.filter((d) => d.event.type === "call.ended").length === calls;

/** Places calls that say text, and returns when the receiver has all that is to be told of them. */
async function call(t, receiver, calls = 1) {
  const address = await startServer(t, {
    BRIDGE_SANDBOX: "marker",
    BRIDGE_DATA_DIR: await directory(t),
    WEBHOOK_URL: receiver.url,
    WEBHOOK_SECRET: `${current},${previous}`,
  });
  const url = `ws://${address}/media/twilio`;
  await output(t, BRIDGE, ["call", "--say-marker", text, "--url", url, "--calls", String(calls), "--quiet"]);
  await receiver.until(ended(calls));
}

test("every request of two calls verifies, with the new secret and the old", { timeout: 120_000 }, async (t) => {
  const receiver = await startReceiver(t);
  await call(t, receiver, 2);

  for (const { method, headers, body, event } of receiver.deliveries) {
    assert.equal(method, "POST");
    assert.match(headers["content-type"], /^application\/json\b/);
    assert.match(headers["webhook-id"], /^evt_[0-9A-HJKMNP-TV-Z]{26}$/);
    for (const known of [current, previous]) assert.deepEqual(new Webhook(known).verify(body, headers), event);
  }
  const ids = receiver.deliveries.map((d) => d.headers["webhook-id"]);
  assert.equal(new Set(ids).size, ids.length, "ids are unique");

  const all = receiver.deliveries.map((d) => d.event);
  const calls = new Set(all.map((e) => e.data.call.id));
  assert.equal(calls.size, 2);
  for (const id of calls) {
    const events = all.filter((e) => e.data.call.id === id);
    assert.deepEqual(events.map((e) => e.data.sequence), events.map((_, i) => i + 1), "sequence without holes, in order");
    assert.equal(events[0].type, "call.started");
    assert.ok(events.slice(1, -1).every((e) => e.type === "utterance.final"), events.map((e) => e.type).join());
    assert.equal(events.at(-1).type, "call.ended");
    assert.equal(events.slice(1, -1).map((e) => e.data.utterance.text).join(" "), text);
  }

  await t.test("and no request verifies that was tampered with", () => {
    for (const { headers, body } of receiver.deliveries) {
      for (const [what, changed, changes, key = current] of forgeries(headers, body)) {
        const verify = () => new Webhook(key).verify(changed, { ...headers, ...changes });
        assert.throws(verify, WebhookVerificationError, what);
      }
    }
  });
});

test("a request that failed comes again: same id and body, signed anew, before any later one", { timeout: 120_000 }, async (t) => {
  const second = (d) => d.event.data.sequence === 2;
  const receiver = await startReceiver(t, (d) => (second(d) && d.headers["bridge-attempt"] === "1" ? 500 : 204));
  await call(t, receiver);

  for (const { headers, body } of receiver.deliveries) new Webhook(current).verify(body, headers);
  const [first, again, ...more] = receiver.deliveries.filter(second);
  assert.deepEqual(more, []);
  assert.equal(again.headers["bridge-attempt"], "2");
  assert.equal(again.headers["webhook-id"], first.headers["webhook-id"]);
  assert.deepEqual(again.body, first.body);
  const order = receiver.deliveries.map((d) => d.event.data.sequence);
  assert.deepEqual(order, order.toSorted((a, b) => a - b), "nothing overtakes it");
});

/** What somebody without the secret might try: what was changed, the body, headers, and a key other than current. */
function forgeries(headers, body) {
  const bytes = Buffer.from(body);
  bytes[bytes.indexOf(":") + 1] ^= 1;
  return [
    ["a byte of the body", bytes, {}],
    ["a space after the body", Buffer.concat([body, Buffer.from(" ")]), {}],
    ["the id", body, { "webhook-id": `${headers["webhook-id"]}0` }],
    ["the time", body, { "webhook-timestamp": String(Number(headers["webhook-timestamp"]) + 1) }],
    ["the signature", body, { "webhook-signature": `v1,${randomBytes(32).toString("base64")}` }],
    ["the secret", body, {}, secret()],
  ];
}
