import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { git } from "../../cli/local/git-client.ts";
import { until } from "../control-plane/until.ts";

const repository = join(import.meta.dirname, "..", "..");

/** `npm start` in a process group of its own, as in a terminal. */
interface Started {
  /** What it said so far. */
  readonly said: () => string;
  readonly ended: Promise<number | null>;
  /** Throws when it has ended. */
  readonly assertRuns: () => void;
  /** Ctrl-C: a terminal sends the signal to all processes of the group. */
  readonly interrupt: () => void;
  /** Processes of the group that are left. */
  readonly left: () => Promise<readonly string[]>;
}

describe("npm start", () => {
  let root: string;
  let folder: string;
  let temporary: string;
  const running = new Set<ChildProcess>();

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "driftless-start-"));
    folder = join(root, "sample");
    temporary = join(root, "tmp");
    await mkdir(temporary);
  });
  after(async () => {
    for (const { pid } of running) if (pid !== undefined) process.kill(-pid, "SIGKILL");
    await rm(root, { recursive: true, force: true });
  });

  function start(...options: readonly string[]): Started {
    const child = spawn(process.execPath, ["scripts/node24.js", "cli/start.ts", "--folder", folder, ...options], {
      cwd: repository,
      env: { ...process.env, TMPDIR: temporary, NODE_TEST_CONTEXT: undefined },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const group = child.pid ?? 0;
    running.add(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part: string) => (text += part));
    return {
      said: () => text,
      ended: new Promise((resolve, reject) =>
        child.once("error", reject).once("close", (code) => {
          running.delete(child);
          resolve(code);
        }),
      ),
      assertRuns: () => assert.ok(running.has(child), text),
      interrupt: () => process.kill(-group, "SIGINT"),
      left: () => processesOf(group),
    };
  }

  /** Ended well, and left nothing behind: no process, no file but the sample's, no word that it runs. */
  async function assertEnded({ said, ended, left }: Started, status = 0): Promise<void> {
    assert.equal(await ended, status, said());
    assert.match(said(), /stopped; nothing is left running\n$/);
    assert.doesNotMatch(said(), /"level":"error"|Error:/);
    assert.deepEqual(await left(), []);
    assert.deepEqual(await readdir(temporary), []);
  }

  const spoken = ({ said, assertRuns }: Started, words: string) =>
    until(() => said().includes(words), { what: words, withinMs: 120_000, guard: assertRuns });

  test("--once syncs the sample to both environments, and ends with everything stopped", async () => {
    const started = start("--once");
    await assertEnded(started);
    for (const name of ["guestbook-qa", "guestbook-e2e"]) {
      assert.match(started.said(), new RegExp(`${name}: Healthy at [0-9a-f]{7}\\n`));
    }
  });

  test("the second start keeps what was committed, pushed or not, and syncs what was pushed", async () => {
    const work = join(folder, "guestbook");
    const pushed = await git(work, "rev-parse", "origin/main");
    const file = join(work, "overlays", "qa", "kustomization.yaml");
    const changed = `${await readFile(file, "utf8")}# mine\n`;
    await writeFile(file, changed);
    await git(work, "commit", "--quiet", "--all", "--message=Mine");
    const mine = await git(work, "rev-parse", "HEAD");
    const started = start("--once");
    await assertEnded(started);
    assert.match(started.said(), new RegExp(`guestbook-qa: Healthy at ${pushed.slice(0, 7)}\\n`));
    assert.deepEqual([await git(work, "rev-parse", "HEAD"), await readFile(file, "utf8")], [mine, changed]);
    assert.equal(await git(work, "status", "--porcelain"), "");
  });

  test("a push while it runs is synced; Ctrl-C ends it with everything stopped", async () => {
    const started = start("--sweep", "3600");
    await spoken(started, "Ctrl-C ends everything.");
    const work = join(folder, "guestbook");
    await git(work, "push", "--quiet", "origin", "HEAD:main");
    const mine = (await git(work, "rev-parse", "HEAD")).slice(0, 7);
    await spoken(started, `plan: main is at ${mine}`);
    started.interrupt();
    await assertEnded(started);
  });

  for (const words of ["finding the control plane", "Kubernetes runs at", "push received"]) {
    test(`Ctrl-C while it starts ends it with everything stopped, and says no more: ${words}`, async () => {
      await rm(folder, { recursive: true, force: true });
      const started = start();
      await spoken(started, words);
      started.interrupt();
      await assertEnded(started, 130);
    });
  }
});

async function processesOf(group: number): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pgid=,pid=,stat=,args="]);
  return stdout.split("\n").filter((line) => {
    const [, pgid, , state] = /^\s*(\d+)\s+(\d+)\s+(\S+)/.exec(line) ?? [];
    return Number(pgid) === group && !state?.startsWith("Z");
  });
}
