import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import * as fc from "fast-check";
import { isDriftlessError } from "../../lib/errors.ts";
import { createObjectCache } from "../../lib/source/cache.ts";
import { applyDelta } from "../../lib/source/delta.ts";
import { defaultLimits } from "../../lib/source/limits.ts";
import { createLocalSource } from "../../lib/source/local.ts";
import type { GitObject } from "../../lib/source/objects.ts";
import { readPack } from "../../lib/source/pack.ts";
import { commitAll, git, pipeInto, temporaryFolder } from "./repositories.ts";

/** One file through many small changes: Git packs it as long chains of deltas. */
const versions = Array.from({ length: 60 }, (_, version) =>
  Array.from(
    { length: 400 },
    (__, line) => `line ${line} ${line % 60 <= version ? `changed by ${line % 60}` : "as it was"} ${line * 7919}\n`,
  ).join(""),
);

describe("packs", () => {
  let repository = "";
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const commits: string[] = [];
  const options = { format: "sha1" as const, limits: defaultLimits };

  before(async () => {
    folder = await temporaryFolder();
    repository = `${folder.path}/deltas.git`;
    await git(folder.path, "init", "--quiet", "--bare", "--initial-branch=main", repository);
    const history = versions.map((body) => ({ "apps/web/values.yaml": body, "apps/web/fixed.yaml": "same\n" }));
    commits.push(...(await commitAll(repository, history)));
  });
  after(() => folder.remove());

  const pack = (revisions: readonly string[], ...args: readonly string[]): Promise<Buffer> =>
    pipeInto(
      repository,
      revisions.map((revision) => `${revision}\n`),
      "pack-objects",
      "--quiet",
      "--revs",
      "--stdout",
      "--window=60",
      ...args,
    );
  /** `cat-file --batch` answers each id with a line of id, type and size, the body, and a newline. */
  const sameAsGit = async (objects: ReadonlyMap<string, GitObject>): Promise<void> => {
    const asked = [...objects.keys()].map((oid) => `${oid}\n`);
    const expected = await pipeInto(repository, asked, "cat-file", "--batch");
    const parts = [...objects].flatMap(([oid, { type, body }]) => [
      Buffer.from(`${oid} ${type} ${body.length}\n`),
      body,
      Buffer.from("\n"),
    ]);
    assert.ok(expected.equals(Buffer.concat(parts)));
  };

  for (const [kind, args] of [
    ["named by offset", ["--delta-base-offset", "--depth=60"]],
    ["named by id", ["--depth=60"]],
    ["absent", ["--depth=0"]],
  ] as const) {
    it(`every object comes out as Git has it, deltas ${kind}`, async () => {
      const objects = await readPack(await pack(["main"], ...args), options);
      const all = (await git(repository, "rev-list", "--objects", "main")).split("\n").map((line) => line.split(" ")[0]!);
      assert.deepEqual([...objects.keys()].sort(), all.sort());
      await sameAsGit(objects);
    });
  }

  it("a thin pack stands on the objects held already, and on nothing else", async () => {
    const thin = await pack(["main", "^main~5"], "--thin");
    const held = await readPack(await pack(["main~5"]), options);
    const objects = await readPack(thin, { ...options, base: (oid) => held.get(oid) });
    assert.ok(objects.has(commits.at(-1)!) && !objects.has(commits[0]!));
    await sameAsGit(objects);
    await assert.rejects(
      readPack(thin, options),
      (error) => isDriftlessError(error, "source") && /have no base/.test(error.message),
    );
  });

  it("a pack that is cut or changed anywhere is a retryable source error", async () => {
    const whole = await pack(["main"], "--delta-base-offset");
    const fault = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      bit: fc.integer({ min: 0, max: 7 }),
      cut: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fault, async ({ at, bit, cut }) => {
        const position = Math.floor(whole.length * at);
        const faulty = Buffer.from(cut ? whole.subarray(0, position) : whole);
        if (!cut) faulty[position]! ^= 1 << bit;
        await assert.rejects(readPack(faulty, options), (error) => isDriftlessError(error, "source") && error.retryable);
      }),
      { numRuns: 60 },
    );
  });

  it("a hostile pack with a right checksum gives a source error, or objects under their own ids", async () => {
    const whole = await pack(["main", "^main~8"], "--thin", "--delta-base-offset");
    const held = await readPack(await pack(["main~8"]), options);
    const faults = fc.array(fc.tuple(fc.nat(whole.length - 33), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(faults, async (changes) => {
        const hostile = Buffer.from(whole);
        for (const [at, byte] of changes) hostile[12 + at] = byte;
        createHash("sha1")
          .update(hostile.subarray(0, -20))
          .digest()
          .copy(hostile, hostile.length - 20);
        const read = readPack(hostile, { ...options, base: (oid) => held.get(oid) });
        const error = await read.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        assert.ok(error === undefined || isDriftlessError(error, "source"), String(error));
      }),
      { numRuns: 300 },
    );
  });

  it("any bytes as a delta make an object or a source error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const delta = Uint8Array.from([10, 12, ...bytes]);
        try {
          assert.equal(applyDelta(new Uint8Array(10), delta).length, 12);
        } catch (error) {
          assert.ok(isDriftlessError(error, "source"), String(error));
        }
      }),
    );
  });

  it("a local repository reads long chains, and goes on while it is packed anew", async () => {
    const cache = createObjectCache({ maxBytes: 0 }).of(repository);
    const source = createLocalSource({ folder: repository, cache, limits: defaultLimits });
    const read = async (version: number): Promise<string> => {
      const tree = await source.open(commits[version]!);
      const { oid } = (await tree.lookup("apps/web/values.yaml"))!;
      return Buffer.from((await tree.read([oid])).get(oid)!).toString();
    };
    assert.equal(await read(0), versions[0]);
    await git(repository, "repack", "-a", "-d", "-q", "-f", "--depth=60", "--window=60");
    await git(repository, "prune-packed", "-q");
    for (const [version, body] of versions.entries()) assert.equal(await read(version), body);
    await git(repository, "repack", "-a", "-d", "-q", "-f", "--depth=1");
    assert.equal(await read(30), versions[30]);
  });
});
