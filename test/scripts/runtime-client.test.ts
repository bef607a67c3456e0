import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ensureRuntimeClient } from "../../scripts/runtime-client.ts";

let folder: string;
const skip = process.platform === "linux" ? false : "Lambda's runtime interface client runs on Linux only";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "runtime-client-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Programs of these names that only say a word and fail. */
async function toolsIn(name: string, tools: readonly string[]): Promise<string> {
  const bin = join(folder, name);
  await mkdir(bin);
  for (const tool of tools) await writeFile(join(bin, tool), "#!/bin/sh\necho getaddrinfo ENOTFOUND\nexit 1\n", { mode: 0o755 });
  return bin;
}

test("without a compiler it says what is missing, and begins nothing", { skip }, async () => {
  const PATH = await toolsIn("bin", ["make", "cmake3", "tar", "xz", "npm"]);
  assert.deepEqual(await ensureRuntimeClient({ env: { PATH, XDG_CACHE_HOME: join(folder, "cache") } }), {
    unavailable: "the runtime interface client of Lambda is compiled here, and this is missing: g++, python3",
  });
});

test("without the registry it says so, and leaves nothing", { skip }, async () => {
  const PATH = await toolsIn("away", ["g++", "python3", "make", "cmake", "tar", "xz", "npm"]);
  const lines: string[] = [];
  const progress = (line: string): void => void lines.push(line);
  // Where npm comes with the Node that runs this, it is that one that is asked.
  const away = {
    npm_config_registry: "http://127.0.0.1:9",
    npm_config_fetch_retries: "0",
    npm_config_cache: join(folder, "npm"),
  };
  const client = await ensureRuntimeClient({ env: { ...away, PATH, XDG_CACHE_HOME: join(folder, "away-cache") }, progress });
  assert.ok("unavailable" in client);
  assert.match(
    client.unavailable,
    /^the runtime interface client of Lambda could not be fetched: .*npm ci .* ended with 1\n.*(?:ENOTFOUND|ECONNREFUSED)/s,
  );
  assert.equal(lines.length, 1);
  const [entry = ""] = await readdir(join(folder, "away-cache", "driftless"));
  assert.deepEqual(await readdir(join(folder, "away-cache", "driftless", entry)), []);
});
