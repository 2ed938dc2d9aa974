// Twilio's own library steers a call of controltest: what its author and ours understand of the API is the same.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import twilio from "twilio";

const TOKEN = "0123456789abcdef0123456789abcdef";
const KEY = "SK00000000000000000000000000000001";
const SECRET = "fedcba9876543210fedcba9876543210";

/** Starts the server. Returns a function that makes clients, and the lines that the server printed. */
async function start(t) {
  const child = spawn(process.env.GO ?? "go", ["run", "./rest", TOKEN, KEY, SECRET], { cwd: fileURLToPath(new URL(".", import.meta.url)), stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  t.after(async () => {
    child.stdin.end();
    assert.deepEqual(await exit, [0, null]);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const base = new URL((await lines.next()).value);
  class Here extends twilio.RequestClient {
    request(options) {
      const uri = new URL(options.uri);
      assert.equal(uri.host, "api.twilio.com");
      uri.protocol = base.protocol;
      uri.host = base.host;
      return super.request({ ...options, uri: uri.href });
    }
  }
  const client = (user, password) => twilio(user, password, { accountSid: "AC1", httpClient: new Here() });
  return { client, update: async () => JSON.parse((await lines.next()).value) };
}

const refused = (status, code) => (error) => {
  assert.ok(error instanceof twilio.RestException);
  assert.deepEqual([error.status, error.code], [status, code]);
  assert.ok(error.message.length > 0 && error.moreInfo.endsWith(`/${code}`));
  return true;
};

test("npm twilio steers a call, and reads every refusal", { timeout: 120_000 }, async (t) => {
  const { client, update } = await start(t);
  const mine = client("AC1", TOKEN);

  await assert.rejects(client("AC1", SECRET).calls("CA1").update({ status: "completed" }), refused(401, 20003));
  await assert.rejects(client("SK1", SECRET).calls("CA1").fetch(), refused(401, 20003));
  await assert.rejects(mine.calls("CA2").update({ status: "completed" }), refused(404, 20404));
  await assert.rejects(mine.calls("CA1").update({ url: "/next" }), refused(400, 21205));
  await assert.rejects(mine.calls("CA1").update({ twiml: "x".repeat(4001) }), refused(400, 32018));
  assert.equal((await mine.calls("CA1").fetch()).status, "in-progress");

  const answer = new twilio.twiml.VoiceResponse();
  answer.dial({ callerId: "+15550100002" }).sip(`sip:"a&b"@example.com`);
  const instructed = await client(KEY, SECRET).calls("CA1").update({ twiml: answer.toString() });
  assert.deepEqual([instructed.sid, instructed.accountSid, instructed.status], ["CA1", "AC1", "in-progress"]);
  const [dial] = (await update()).TwiML.Verbs;
  assert.deepEqual([dial.Name, dial.Attributes], ["Dial", { callerId: "+15550100002" }]);
  assert.deepEqual([dial.Children[0].Name, dial.Children[0].Text], ["Sip", `sip:"a&b"@example.com`]);

  await mine.calls("CA1").update({ url: "https://example.com/next", method: "POST" });
  assert.deepEqual((await update()).Form, { Url: ["https://example.com/next"], Method: ["POST"] });

  assert.equal((await mine.calls("CA1").update({ status: "completed" })).status, "completed");
  assert.equal((await update()).Ended, true);
  await assert.rejects(mine.calls("CA1").update({ status: "completed" }), refused(400, 21220));
});
