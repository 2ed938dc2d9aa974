// A voice bot: a webhook that lets a language model answer what callers say. Any server with OpenAI's /chat/completions will do.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const { WEBHOOK_SECRET = "", PORT = 9000, OPENAI_API_KEY = "", OPENAI_MODEL = "gpt-4o-mini" } = process.env;
const { OPENAI_BASE_URL = "https://api.openai.com/v1", LLM_TIMEOUT_MS = 7000 } = process.env; // bridge waits 10 s for an answer
const key = Buffer.from(WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
if (key.length === 0) throw new Error("set WEBHOOK_SECRET to that of bridge");
const system = { role: "system", content: "You answer the phone. Reply in one or two short spoken sentences, without lists or markup." };
const calls = new Map(); // of each call that is up: the highest sequence, and what was said

const say = (text, id) => [{ type: "say", id, text, unless_superseded: true }]; // unless the caller has spoken again

async function complete(messages) {
  const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${OPENAI_API_KEY}` },
    body: JSON.stringify({ model: OPENAI_MODEL, messages: [system, ...messages.map(({ role, content }) => ({ role, content }))] }),
    signal: AbortSignal.timeout(Number(LLM_TIMEOUT_MS)),
  });
  if (!response.ok) throw new Error(`the model's server answered ${response.status}`);
  const text = (await response.json()).choices[0].message.content.replace(/[\p{Cc}\p{Cs}\s]+/gu, " ").trim();
  if (!text) throw new Error("the model said nothing");
  return [...text].slice(0, 1000).join("");
}

async function answer(type, data, call) {
  if (type === "call.started") return say("Hello. How can I help?", "hello");
  const said = call.messages.find((m) => m.id && m.id === data.action_id); // the model must know what the caller did not hear
  if (said && type === "playback.finished" && data.interrupted_by) said.content = `${data.heard_text ?? ""} … (interrupted)`;
  if (said && type === "action.failed") call.messages.splice(call.messages.indexOf(said), 1);
  if (type !== "utterance.final" || data.utterance.speaker !== "caller") return [];
  call.messages = [...call.messages.slice(-20), { role: "user", content: data.utterance.text }];
  try {
    const reply = { role: "assistant", id: `reply-${data.sequence}`, content: await complete(call.messages) };
    call.messages.push(reply);
    return say(reply.content, reply.id);
  } catch (error) {
    console.log(`${data.call.id} no reply: ${error.message}`.replace(/[\p{C}\p{Z}]/gu, " ")); // foreign text must not steer a terminal
    return say("Sorry, I need a moment. Could you say that again?", "late");
  }
}

function verified(headers, body) { // as https://www.standardwebhooks.com says
  const stamp = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(stamp)) <= 300)) return false;
  const hmac = createHmac("sha256", key).update(`${headers["webhook-id"]}.${stamp}.`).update(body);
  const want = Buffer.from(`v1,${hmac.digest("base64")}`);
  const given = (headers["webhook-signature"] ?? "").split(" ").map((entry) => Buffer.from(entry));
  return given.some((entry) => entry.length === want.length && timingSafeEqual(entry, want));
}

async function receive(request) {
  if (!(request.headers["content-length"] <= 1 << 20)) return [413, { error: "an event has at most 1 MiB" }];
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!verified(request.headers, body)) return [401, { error: "the signature is wrong" }];
  const { type, data } = JSON.parse(body);
  const call = calls.get(data.call.id) ?? { sequence: 0, messages: [] };
  calls.set(data.call.id, call);
  if (type === "call.ended") calls.delete(data.call.id);
  if (data.sequence <= call.sequence) return [200, { actions: [] }]; // the same event came again
  call.sequence = data.sequence;
  return [200, { actions: await answer(type, data, call) }];
}

const server = createServer(async (request, response) => {
  const [status, reply] = await receive(request).catch((error) => [400, { error: error.message }]);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(reply));
});
server.listen(PORT, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
