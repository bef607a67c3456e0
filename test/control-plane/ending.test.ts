import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

const module = JSON.stringify(new URL("./ending.ts", import.meta.url).href);

async function run(script: string, signal?: NodeJS.Signals): Promise<{ output: string; end: unknown }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", `import { onProcessEnd } from ${module};${script}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (text: Buffer) => {
    output += text.toString("utf8");
    if (signal !== undefined && text.includes("waiting")) child.kill(signal);
  });
  const [code, by] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { output, end: code ?? by };
}

const abandon = (name: string) => `const ${name} = onProcessEnd(() => say("${name} "));`;
const setup = `import { writeSync } from "node:fs"; const say = (text) => writeSync(1, text);`;
const waiting = `say("waiting "); setTimeout(() => {}, 30_000);`;

test("what was started is abandoned at the end of the process", async () => {
  assert.deepEqual(await run(`${setup}${abandon("one")}`), { output: "one ", end: 0 });
  assert.deepEqual(await run(`${setup}${abandon("one")} process.exit(3);`), { output: "one ", end: 3 });
});

test("a signal that nobody listens to abandons all, once, and still ends the process", async () => {
  const script = `${setup}${abandon("one")}${abandon("two")}${waiting}`;
  assert.deepEqual(await run(script, "SIGTERM"), { output: "waiting one two ", end: "SIGTERM" });
  assert.deepEqual(await run(script, "SIGINT"), { output: "waiting one two ", end: "SIGINT" });
});

test("who listens to the signal decides, and may still stop in order", async () => {
  const script = `${setup}${abandon("one")} process.once("SIGTERM", () => { say("mine "); one.release(); process.exit(0); });${waiting}`;
  assert.deepEqual(await run(script, "SIGTERM"), { output: "waiting mine ", end: 0 });
});
