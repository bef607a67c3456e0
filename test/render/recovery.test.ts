import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import { type HelperJob, HelperProcess } from "../../lib/render/helper-process.ts";
import type { HelperLine } from "../../lib/render/helper-protocol.ts";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { helperBinary, renderFolder, testRenderer } from "./helper.ts";
import { configMap } from "./manifests.ts";
import { memoryTree } from "./tree.ts";

const helper = await helperBinary();

const newProcess = (timeoutMs = 30_000) => new HelperProcess({ helper, timeoutMs, concurrency: 8, log: silentLog });

const file = (text: string) => ({ path: "a.yaml", type: "file", text }) as const;

const plain = (name: string): HelperJob => ({
  request: { op: "render", renderer: "directory", path: name, entries: [file(configMap(name))] },
  lookup: async () => [],
});

/** A job that asks for one file of its base, and so can be stopped half-way. */
const asking = (lookup: HelperJob["lookup"]): HelperJob => ({
  request: {
    op: "render",
    renderer: "kustomize",
    remoteBases: [],
    path: "app",
    entries: [{ path: "app/kustomization.yaml", type: "file", text: "resources: [a.yaml]\n" }],
  },
  lookup,
});

const namesOf = (answer: HelperLine): readonly unknown[] =>
  (answer.objects ?? []).map((text) => (JSON.parse(text) as { metadata: { name: string } }).metadata.name);

test("a helper killed between two renders is replaced", async () => {
  const child = newProcess();
  await child.run(plain("one"));
  const first = child.pid!;
  process.kill(first, "SIGKILL");
  assert.deepEqual(namesOf(await child.run(plain("two"))), ["two"]);
  assert.notEqual(child.pid, first);
  await child.close();
});

test("renders in flight when the helper dies are tried once more, and succeed", async () => {
  const child = newProcess();
  let asked = 0;
  const interrupted = child.run(
    asking(async (paths) => {
      asked += 1;
      if (asked === 1) process.kill(child.pid!, "SIGKILL");
      return paths.map((path) => (path === "app/a.yaml" ? { ...file(configMap("a")), path } : { path, type: "none" }));
    }),
  );
  const others = ["b", "c", "d"].map((name) => child.run(plain(name)));
  assert.deepEqual(namesOf(await interrupted), ["a"]);
  assert.deepEqual((await Promise.all(others)).map(namesOf), [["b"], ["c"], ["d"]]);
  assert.ok(asked >= 2);
  await child.close();
});

test("a render that kills its helper twice fails, retryable, and the next one is not touched", async () => {
  const child = newProcess();
  const deadly = child.run(
    asking(async () => {
      process.kill(child.pid!, "SIGKILL");
      return [];
    }),
  );
  const innocent = child.run(plain("innocent"));
  await assert.rejects(deadly, {
    code: "render",
    retryable: true,
    message: /^the render helper died twice while rendering app: /,
  });
  assert.deepEqual(namesOf(await innocent), ["innocent"]);
  await child.close();
});

test("a render that takes too long is stopped, and only it fails", async () => {
  const child = newProcess(500);
  await child.run(plain("warm"));
  process.kill(child.pid!, "SIGSTOP"); // what hangs does not answer
  const stuck = child.run(plain("stuck"));
  const others = ["a", "b"].map((name) => child.run(plain(name)));
  await assert.rejects(stuck, {
    code: "render",
    retryable: false,
    message: "rendering stuck took longer than 0.5 s and was stopped",
  });
  assert.deepEqual((await Promise.all(others)).map(namesOf), [["a"], ["b"]]);
  await child.close();
});

test("a render given up by its caller ends at once, and leaves the others alone", async () => {
  const child = newProcess();
  const stop = new AbortController();
  const asked = Promise.withResolvers<void>();
  const never = child.run(
    asking(() => {
      asked.resolve();
      return new Promise(() => {});
    }),
    { signal: stop.signal },
  );
  await asked.promise;
  stop.abort(new Error("deadline"));
  await assert.rejects(never, /deadline/);
  assert.deepEqual(namesOf(await child.run(plain("next"))), ["next"]);
  await child.close();
});

test("what a lookup throws is what the render throws", async () => {
  const renderer = await testRenderer();
  const tree = memoryTree({ "app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": configMap("a") });
  const broken = {
    ...tree,
    read: (oids: readonly string[]) =>
      oids.includes(tree.oid("app/a.yaml")) ? Promise.reject(new Error("connection lost")) : tree.read(oids),
  };
  await assert.rejects(renderFolder(renderer, { tree: broken, path: "app" }), /^Error: connection lost$/);
});

test("a helper that is not there is named", async () => {
  const renderer = createHelperRenderer({ helper: "/nowhere/render-helper" });
  const tree = memoryTree({ "app/a.yaml": configMap("a") });
  const failing = Promise.all([renderFolder(renderer, { tree, path: "app" }), renderFolder(renderer, { tree, path: "app" })]);
  await assert.rejects(failing, { code: "render", message: /^the render helper \/nowhere\/render-helper does not start: / });
  await renderer.close();
});

test("after close there is no child, and renders are refused", async () => {
  const child = newProcess();
  await child.run(plain("a"));
  const pid = child.pid!;
  process.kill(pid, "SIGSTOP");
  const pending = child.run(plain("pending")).catch((error: unknown) => error);
  await child.close();
  assert.ok(isDriftlessError(await pending, "render"));
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  await assert.rejects(child.run(plain("b")), /the renderer is closed/);
});

test("an idle helper neither keeps its parent alive nor outlives it", async () => {
  const program = `
    import { HelperProcess } from ${JSON.stringify(new URL("../../lib/render/helper-process.ts", import.meta.url).href)};
    const log = { warn() {} };
    const child = new HelperProcess({ helper: ${JSON.stringify(helper)}, timeoutMs: 30000, concurrency: 8, log });
    await child.run({ request: ${JSON.stringify(plain("a").request)}, lookup: async () => [] });
    console.log(child.pid);`;
  const parent = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  let printed = "";
  parent.stdout.on("data", (text: Buffer) => {
    printed += text.toString("utf8");
  });
  // The pipe closes when nobody holds it any more; the helper has its own.
  const [code] = (await once(parent, "close")) as [number];
  assert.equal(code, 0);
  const pid = Number(printed);
  assert.ok(pid > 0);
  await gone(pid);
});

/** Resolves when the process has ended, buried or not; fails after ten seconds. */
async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (state.includes(") Z ") || !isRunning(pid)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`process ${pid} is still there`);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
