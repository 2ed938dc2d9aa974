// A phone menu, by voice or keys: a webhook whose answers steer the call.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const { WEBHOOK_SECRET = "", PORT = 9000, SALES_NUMBER = "+15550100011", SUPPORT_NUMBER = "+15550100012" } = process.env;
const key = Buffer.from(WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
if (key.length === 0) throw new Error("set WEBHOOK_SECRET to that of bridge");
const desks = { sales: SALES_NUMBER, support: SUPPORT_NUMBER };
const keys = { 1: "sales", 2: "support", 3: "goodbye" };
const seen = new Map(); // the highest sequence of each call that is up

const say = (text) => ({ type: "say", text });

const menu = (id, greeting) => [ // the listen comes first, so that a key counts while the text is being said
  { type: "listen", id, gather: { max_digits: 1, timeout_ms: 10000 } },
  say(`${greeting} Say sales or press 1, say support or press 2, say goodbye or press 3.`),
];

function choose(said) {
  const [word] = said.toLowerCase().match(/\b(sales|1|support|2|goodbye|3)\b/) ?? [];
  const choice = keys[word] ?? word;
  if (choice === "goodbye") return [say("Goodbye."), { type: "hangup" }];
  if (choice) return [say(`I connect you with ${choice}.`), { type: "transfer", id: "transfer", to: desks[choice] }];
  return menu("menu", "Sorry, I did not understand.");
}

function answer(type, data) {
  switch (type) {
    case "call.started":
      return menu("menu", "Welcome.");
    case "utterance.final":
      return data.utterance.speaker === "caller" ? choose(data.utterance.text) : [];
    case "digits.gathered":
      if (data.ended_by === "max_digits" || data.ended_by === "terminator") return choose(data.digits);
      if (data.ended_by !== "timeout") return [];
      return data.action_id === "again" ? choose("goodbye") : menu("again", "Are you still there?");
    case "action.failed":
      return data.action_id === "transfer" ? menu("menu", "Sorry, nobody could be reached.") : [];
    default:
      return [];
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
  const before = seen.get(data.call.id) ?? 0; // the same event may come again: it is answered, and nothing is done
  const actions = data.sequence > before ? answer(type, data) : [];
  seen.set(data.call.id, Math.max(before, data.sequence));
  if (type === "call.ended") seen.delete(data.call.id);
  const reason = (data.reason ?? "").replace(/[\p{C}\p{Z}]/gu, " "); // foreign text must not steer a terminal
  console.log(data.call.id.replace(/[^\w-]/g, "?"), type, "->", actions.map((a) => a.type), reason);
  return [200, { actions }];
}

const server = createServer(async (request, response) => {
  const [status, reply] = await receive(request).catch((error) => [400, { error: error.message }]);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(reply));
});
server.listen(PORT, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
