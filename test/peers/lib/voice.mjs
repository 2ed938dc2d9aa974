// The recorded voice that the tests speak with: the one `bridge demo` plays, G.711 at 8000 Hz.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { here, output } from "./program.mjs";

const spoken = `hello i want to make an appointment for tomorrow morning my number is five five five one two three four
  please send me the address of your office thank you very much good bye`;

/** A directory of the test's own. */
export async function directory(t) {
  const path = await mkdtemp(join(tmpdir(), "bridge-peers-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Makes a WAV file of the voice, linear16 and mono at rate Hz, and returns its path. */
export async function wav(t, rate) {
  const path = join(await directory(t), "voice.wav");
  const from = here("../../cmd/bridge/voice/caller.wav");
  await output(t, "sox", ["-D", from, "-r", String(rate), "-b", "16", "-e", "signed-integer", path]); // -D: the same each time
  return path;
}

/** The longer words of what was really said that are in text. Recognition is rough: some will be missing. */
export function wordsHeard(text) {
  const expected = new Set(spoken.split(/\s+/).filter((word) => word.length > 3));
  return [...new Set(text.toLowerCase().split(/\s+/))].filter((word) => expected.has(word));
}
