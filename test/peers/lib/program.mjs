import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { environment } from "./bridge.mjs";

/** Path of a file in this directory's parent. */
export const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Runs a program to its end and returns the lines it printed. A test that times out takes it along. */
export async function output(t, command, args) {
  const child = spawn(command, args, { env: environment(), signal: t.signal, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let complained = "";
  child.stdout.on("data", (data) => (printed += data));
  child.stderr.on("data", (data) => (complained += data));
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Error(`${command} ended with ${signal ?? code}:\n${printed}${complained}`);
  return printed.split("\n").filter((text) => text !== "");
}
