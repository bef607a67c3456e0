import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import { ensureGoBinary } from "../../scripts/go-binary.ts";

let folder: string;
let module: string;
let env: NodeJS.ProcessEnv;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "go-binary-"));
  module = join(folder, "module");
  // Go finds its own build cache by XDG_CACHE_HOME too: name it, so that the runtime is not compiled anew.
  const gocache = execFileSync("go", ["env", "GOCACHE"], { encoding: "utf8" }).trim();
  env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache"), GOCACHE: gocache };
  await mkdir(module);
  await writeFile(join(module, "go.mod"), "module example.test/hello\n\ngo 1.21\n");
  await writeFile(join(module, "main.go"), program("hello"));
});

after(() => rm(folder, { recursive: true, force: true }));

/** Without any import of the standard library, so that it builds in a second. */
function program(word: string): string {
  return `package main\n\nvar version = "none"\n\nfunc main() { print("${word} " + version) }\n`;
}

const said = (binary: string) => spawnSync(binary, { encoding: "utf8" }).stderr;

test("a binary is built once, in the user's cache folder, and found the next time without a word", async () => {
  const lines: string[] = [];
  const options = { name: "hello", module, ldflags: "-X main.version=v7", env, progress: (line: string) => lines.push(line) };
  const first = await ensureGoBinary(options);
  assert.equal(said(first), "hello v7");
  assert.match(first, /\/cache\/driftless\/hello-[0-9a-f]{16}\/hello$/);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /^hello: building from .*module with Go \(only once for these sources\)$/);
  assert.match(lines[1] ?? "", /^hello: built in \d+ s$/);
  assert.deepEqual(await readdir(dirname(first)), ["hello"]);

  const written = (await stat(first)).mtimeMs;
  assert.equal(await ensureGoBinary(options), first);
  assert.equal((await stat(first)).mtimeMs, written);
  assert.equal(lines.length, 2);
});

test("a changed source or flag is another binary; a changed test or text is the same one", async () => {
  const first = await ensureGoBinary({ name: "hello", module, env });
  await writeFile(join(module, "main_test.go"), "package main\n");
  await writeFile(join(module, "README.md"), "words\n");
  assert.equal(await ensureGoBinary({ name: "hello", module, env }), first);

  await writeFile(join(module, "main.go"), program("bye"));
  const second = await ensureGoBinary({ name: "hello", module, env });
  assert.notEqual(second, first);
  assert.equal(said(second), "bye none");
  assert.notEqual(await ensureGoBinary({ name: "hello", module, env, ldflags: "-X main.version=v8" }), second);
});

test("a file that the program embeds is part of what decides", async () => {
  await writeFile(join(module, "embedded.yaml"), "a: 1\n");
  const first = await ensureGoBinary({ name: "hello", module, env });
  await writeFile(join(module, "embedded.yaml"), "a: 2\n");
  assert.notEqual(await ensureGoBinary({ name: "hello", module, env }), first);
});

test("two processes and two callers that ask at once all get the whole binary", async () => {
  await writeFile(join(module, "main.go"), program("both"));
  const script = `import { ensureGoBinary } from ${JSON.stringify(new URL("../../scripts/go-binary.ts", import.meta.url).href)};
    console.log(await ensureGoBinary({ name: "hello", module: ${JSON.stringify(module)} }));`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (text: Buffer) => {
    printed += text.toString("utf8");
  });
  const ended = once(child, "close");
  const [one, two] = await Promise.all([
    ensureGoBinary({ name: "hello", module, env }),
    ensureGoBinary({ name: "hello", module, env }),
  ]);
  assert.deepEqual(await ended, [0, null]);
  assert.equal(two, one);
  assert.equal(printed.trim(), one);
  assert.equal(said(one), "both none");
  assert.deepEqual(await readdir(dirname(one)), ["hello"]);
});

test("a build that was killed does not block the next one", async () => {
  await writeFile(join(module, "main.go"), program("again"));
  const binary = await ensureGoBinary({ name: "hello", module, env });
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  await rm(binary);
  await writeFile(join(dirname(binary), "building"), String(gone));
  assert.equal(await ensureGoBinary({ name: "hello", module, env }), binary);
  assert.equal(said(binary), "again none");
});

test("a build removes entries of the same name that were not used for 30 days, and no others", async () => {
  const cache = join(folder, "cache", "driftless");
  const entries = ["hello-00000000000000aa", "hello-00000000000000bb", "hello-there-00000000000000cc"];
  for (const entry of entries) await mkdir(join(cache, entry), { recursive: true });
  const longAgo = new Date("2020-01-01T00:00:00Z");
  await utimes(join(cache, "hello-00000000000000aa"), longAgo, longAgo);
  await utimes(join(cache, "hello-there-00000000000000cc"), longAgo, longAgo);
  await writeFile(join(module, "main.go"), program("old"));
  const binary = await ensureGoBinary({ name: "hello", module, env });
  const left = await readdir(cache);
  assert.deepEqual(
    entries.map((entry) => left.includes(entry)),
    [false, true, true],
  );
  assert.ok(left.includes(basename(dirname(binary))));
});

test("a failed build says which one, what to try and the compiler's last lines, and leaves nothing", async () => {
  await writeFile(join(module, "main.go"), "package main\n\nfunc main() { absent() }\n");
  const earlier = await readdir(join(folder, "cache", "driftless"));
  await assert.rejects(ensureGoBinary({ name: "hello", module, env }), (error: Error) => {
    assert.ok(isDriftlessError(error, "config"));
    assert.match(error.message, /^go build of hello ended with 1: try `go build \.` in .*\n[^]*undefined: absent$/);
    return true;
  });
  const added = (await readdir(join(folder, "cache", "driftless"))).filter((entry) => !earlier.includes(entry));
  assert.deepEqual(
    await Promise.all(added.map((entry) => readdir(join(folder, "cache", "driftless", entry)))),
    added.map(() => []),
  );
});

test("a Go that is too old is told apart from a build that fails", async () => {
  await writeFile(join(module, "main.go"), program("new"));
  await writeFile(join(module, "go.mod"), "module example.test/hello\n\ngo 1.999\n");
  await assert.rejects(ensureGoBinary({ name: "hello", module, env: { ...env, GOTOOLCHAIN: "local" } }), {
    message: /^go build of hello ended with 1: this Go is too old for it: install a newer one \(https:\/\/go\.dev\/dl\)/,
  });
});

test("without Go the error says what to install", async () => {
  await assert.rejects(ensureGoBinary({ name: "hello", module, env: { ...env, PATH: folder } }), {
    message: /^hello is built with Go, and the command `go` was not found: install Go/,
  });
});

test("a folder that is no Go module is named", async () => {
  await assert.rejects(ensureGoBinary({ name: "hello", module: folder, env }), {
    message: /holds no Go module: it has no go\.mod$/,
  });
});
