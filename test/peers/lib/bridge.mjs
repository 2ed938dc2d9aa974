// Runs the program under test, which the environment variable BRIDGE names, as a child process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export const BRIDGE = process.env.BRIDGE;
if (!BRIDGE) throw new Error("BRIDGE is not set: run this by make test-peers");

/** The caller's environment without whatever configures bridge or the clients. */
export function environment(extra = {}) {
  const ours = /^(ALDEA|BRIDGE|WEBHOOK|TWILIO|SANDBOX|LOG|DEEPGRAM)_/;
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return { ...Object.fromEntries(inherited), ...extra };
}

/** `bridge sandbox …` on a free port. Returns its base URL, ws://HOST:PORT. */
export async function startSandbox(t, ...args) {
  const child = run(t, ["sandbox", "--listen", "127.0.0.1:0", ...args]);
  return line(child, child.stdout, (text) => text.match(/ALDEA_URL=(ws:\S+)/)?.[1]);
}

/** `bridge serve` on a free port, with these environment variables. Returns its HOST:PORT. */
export async function startServer(t, env) {
  const child = run(t, ["serve", "--listen", "127.0.0.1:0"], { ...env, LOG_FORMAT: "json" });
  return line(child, child.stderr, (text) => {
    const entry = parse(text);
    return entry?.msg === "listening" ? entry.address : undefined;
  });
}

/** Starts bridge. When the test is over it gets SIGTERM, and has to end with code 0. */
function run(t, args, env) {
  const child = spawn(BRIDGE, args, { env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  child.said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (child.said += data));
  const exit = once(child, "exit");
  t.after(async () => {
    child.kill("SIGTERM");
    const [code, signal] = await exit;
    if (code !== 0) throw new Error(`bridge ${args[0]} ended with ${signal ?? code}:\n${child.said}`);
  });
  return child;
}

/** Waits for the first line of which find makes something. */
function line(child, stream, find) {
  return new Promise((resolve, reject) => {
    createInterface({ input: stream }).on("line", (text) => {
      const found = find(text);
      if (found) resolve(found);
    });
    child.on("exit", () => reject(new Error(`bridge ended before it listened:\n${child.said}`)));
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
