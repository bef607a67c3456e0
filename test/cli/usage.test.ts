import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { runDriftless } from "./run.ts";

test("without a command, and with --help, the commands are listed", async () => {
  for (const args of [[], ["--help"], ["help"]]) {
    const { status, stdout, stderr } = await runDriftless(args);
    assert.deepEqual([status, stderr], [0, ""]);
    for (const command of [
      "status",
      "history APP",
      "drift [APP]",
      "plan APP",
      "sync APP",
      "rollback APP",
      "render DIR",
      "kubectl",
    ]) {
      assert.ok(stdout.includes(`driftless ${command}`), command);
    }
  }
});

test("every command has help of its own", async () => {
  const acting = ["sync", "approve", "rollback", "suspend", "resume", "rebuild"];
  for (const command of ["status", "history", "drift", "plan", ...acting, "render", "health"]) {
    const { status, stdout } = await runDriftless([command, "--help"]);
    assert.deepEqual([status, stdout.startsWith(`driftless ${command}`)], [0, true], command);
  }
});

const wrong: readonly (readonly [args: readonly string[], reason: RegExp])[] = [
  [["stauts"], /there is no command stauts: did you mean status\?/],
  [["constructor"], /there is no command constructor/],
  [["status", "--colour"], /there is no option --colour\n/],
  [["init", "--repositry", "x"], /there is no option --repositry: did you mean --repository\?/],
  [
    ["cost", "--applications", "-4"],
    /--applications needs a value; one that begins with a dash is written --applications=-VALUE/,
  ],
  [["status", "shop"], /unexpected argument shop/],
  [["history"], /an argument is missing/],
  [["render"], /an argument is missing/],
  [["drift", "shop", "web"], /unexpected argument web/],
  [["drift", "--since", "yesterday"], /--since is a duration such as 30m or 24h, not yesterday/],
  [["status", "--output", "xml"], /--output is table or json, not xml/],
  [["status", "--api"], /--api needs a value\n/],
  [["validate", "--project"], /--project needs a value\nTry `driftless validate --help`\.\n/],
  [["sync"], /an argument is missing/],
  [["approve", "shop"], /an argument is missing/],
  [["sync", "shop", "--timeout", "soon"], /--timeout is a duration such as 90s or 30m, not soon/],
  [["suspend", "shop"], /--reason is missing/],
  [["suspend", "shop", "--reason", "x", "--for", "soon"], /--for is a duration such as 30m or 24h, not soon/],
  [["suspend", "shop", "--reason", "x", "--until", "soon"], /--until is a time such as .*, not soon/],
  [["suspend", "shop", "--reason", "x", "--for", "1h", "--until", "2026-01-31T18:00:00Z"], /--for and --until/],
];
for (const [args, reason] of wrong) {
  test(`wrong usage says what is wrong, and where help is: driftless ${args.join(" ")}`, async () => {
    const { status, stdout, stderr } = await runDriftless(args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, reason);
    assert.match(stderr, /\nTry `driftless (?:\w+ )?--help`\.\n$/);
    assert.doesNotMatch(stderr, /\n +at /);
  });
}

for (const args of [["status"], ["history", "shop"], ["drift"], ["sync", "shop"], ["rebuild", "eu"]]) {
  test(`where no Driftless is known, driftless ${args.join(" ")} says how to name one`, async () => {
    const { status, stdout, stderr } = await runDriftless(args);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.equal(
      stderr,
      "driftless: no Driftless is known here: start one with `npm start`, or name one with --api URL or DRIFTLESS_API\n",
    );
  });
}

test("an API that does not answer is named, and why", async () => {
  const api = "http://127.0.0.1:1/api";
  for (const options of [{ args: ["status", "--api", api] }, { args: ["status"], environment: { DRIFTLESS_API: api } }]) {
    const { status, stderr } = await runDriftless(options.args, options);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^driftless: http:\/\/127\.0\.0\.1:1\/api\/applications did not answer as the API of Driftless does: (?!fetch failed).+\n$/,
    );
  }
});

test("a password in the API's address is not printed", async () => {
  const { stderr } = await runDriftless(["status", "--api", "http://ada:hunter2@127.0.0.1:1/api"]);
  assert.ok(!stderr.includes("hunter2"), stderr);
});

test("who reads only the beginning of what is printed ends it without a fault", async () => {
  const driftless = join(import.meta.dirname, "..", "..", "cli", "driftless.js");
  const child = spawn(process.execPath, [driftless, "validate", "--schema"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  const ended = once(child, "close");
  assert.equal(await text(child.stderr), "");
  assert.deepEqual(await ended, [0, null]);
});

test("help of kubectl needs nothing that runs", async () => {
  const { status, stdout } = await runDriftless(["kubectl", "--help"]);
  assert.deepEqual([status, stdout.startsWith("driftless kubectl ARGUMENT ...")], [0, true]);
});

test("kubectl without a running installation says what to start", async () => {
  const { status, stderr } = await runDriftless(["kubectl", "get", "pods", "--all-namespaces"]);
  assert.deepEqual([status, stderr], [1, "driftless: nothing runs here: `npm start` first\n"]);
});
