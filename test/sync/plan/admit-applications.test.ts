import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { array, assert as assertAlways, constantFrom, property, tuple, uniqueArray } from "fast-check";
import type { Application } from "../../../lib/model/application.ts";
import type { StoredFile } from "../../../lib/store/store.ts";
import { type Admitted, admitApplications, type LookedFile } from "../../../lib/sync/plan/admit-applications.ts";
import type { TeamFile } from "../../../lib/sync/plan/configuration-files.ts";
import { anApplication } from "../../contracts/rows.ts";

const fileOf = (project: string, path = "apps.yaml"): TeamFile => ({
  project,
  repository: `https://git.example/${project}`,
  targetRevision: "main",
  path,
});
const of = (project: string, ...names: readonly string[]): Application[] =>
  names.map((name) => anApplication({ name, project, sources: [] }));
const read = (file: TeamFile, ...names: readonly string[]): LookedFile => ({
  file,
  look: {
    outcome: "read",
    applications: of(file.project, ...names),
    origin: { revision: "c1", oid: names.join("-") || "o", directories: [] },
  },
});
const failed = (file: TeamFile): LookedFile => ({ file, look: { outcome: "failed", problem: "it is broken", directories: [] } });
const same = (file: TeamFile): LookedFile => ({ file, look: { outcome: "same" } });

const nothing: Admitted = { files: [], applications: [] };
const [a, b] = [fileOf("a"), fileOf("b")];

/** What each file gives after a look, given what was in force. */
function next(before: Admitted, looked: readonly LookedFile[], platform: readonly string[] = []): Admitted {
  return admitApplications({ platform: of("default", ...platform), looked, before });
}
const given = ({ files }: Admitted): Record<string, readonly string[]> =>
  Object.fromEntries(files.map(({ project, path, applications }) => [`${project}/${path}`, applications]));
const problems = ({ files }: Admitted): readonly string[] => files.map(({ problem }) => problem);

suite("applications of several files", () => {
  test("a file that cannot be read keeps what it gave, and says why; one that is not listed any more gives nothing", () => {
    const first = next(nothing, [read(a, "web", "api"), read(b, "shop")]);
    const second = next(first, [failed(a), read(b)]);
    assert.deepEqual(given(second), { "a/apps.yaml": ["web", "api"], "b/apps.yaml": [] });
    assert.deepEqual(problems(second), ["it is broken", ""]);
    assert.deepEqual(given(next(second, [same(b)])), { "b/apps.yaml": [] });
  });

  test("of two files that state a name at once the first gets it; the other keeps all it gave, also what it states anew", () => {
    const first = next(nothing, [read(a, "web"), read(b, "web", "shop")]);
    assert.deepEqual(given(first), { "a/apps.yaml": ["web"], "b/apps.yaml": [] });
    assert.match(problems(first)[1] ?? "", /^application web is in apps\.yaml of https:\/\/git\.example\/a \(main\) already/);
  });

  test("a name that is taken by a rename deletes nothing, and comes into force once the other file gives it up", () => {
    const first = next(nothing, [read(a, "web"), read(b, "shop")]);
    const second = next(first, [same(a), read(b, "web")]);
    assert.deepEqual(given(second), { "a/apps.yaml": ["web"], "b/apps.yaml": ["shop"] });
    const third = next(second, [read(a, "web2"), same(b)]);
    assert.deepEqual(given(third), { "a/apps.yaml": ["web2"], "b/apps.yaml": ["web"] });
    assert.deepEqual(problems(third), ["", ""]);
    assert.equal(third.files[1]?.waiting, undefined);
  });

  test("who has a name keeps it, also against a file that comes before it", () => {
    const first = next(nothing, [read(a, "api"), read(b, "web")]);
    const second = next(first, [read(a, "api", "web"), same(b)]);
    assert.deepEqual(given(second), { "a/apps.yaml": ["api"], "b/apps.yaml": ["web"] });
  });

  test("the platform's own file comes before all others", () => {
    const first = next(nothing, [read(a, "web", "api")]);
    const second = next(first, [same(a)], ["web"]);
    assert.deepEqual(given(second), { "a/apps.yaml": ["api"] });
    const third = next(second, [read(a, "web", "api")], ["web"]);
    assert.match(problems(third)[0] ?? "", /^application web is in the platform's own configuration already/);
  });

  test("a file that was never read stands for what may have moved into it, until it can be read", () => {
    const first = next(nothing, [read(a, "web", "api"), read(b, "shop")]);
    const moved = fileOf("a", "deploy/apps.yaml");
    const second = next(first, [failed(moved), same(b)]);
    assert.deepEqual(given(second), { "a/deploy/apps.yaml": ["web", "api"], "b/apps.yaml": ["shop"] });
    assert.deepEqual(given(next(second, [read(moved, "web"), same(b)])), {
      "a/deploy/apps.yaml": ["web"],
      "b/apps.yaml": ["shop"],
    });
    assert.deepEqual(given(next(second, [same(b)])), { "b/apps.yaml": ["shop"] });
    assert.deepEqual(given(next(second, [same(moved), same(b)])), given(second));
  });

  test("what the platform's own file gave up to a file that cannot be read stays; what others do not know of goes", () => {
    const platform: StoredFile = {
      project: "",
      repository: "https://git.example/platform",
      targetRevision: "main",
      path: "driftless.yaml",
      revision: "c",
      oid: "o",
      directories: [],
      problem: "",
      applications: ["web", "other"],
    };
    const before = { files: [platform], applications: [...of("a", "web"), ...of("b", "other")] };
    assert.deepEqual(given(next(before, [failed(a)])), { "a/apps.yaml": ["web"] });
  });

  test("a name has one file, and what is in force is what the files give", () => {
    const names = uniqueArray(constantFrom<string>("k", "l", "m", "n"), { maxLength: 3 });
    const looks = tuple(constantFrom("read", "failed", "same", "gone"), names);
    const steps = array(tuple(looks, looks, looks, names), { minLength: 1, maxLength: 5 });
    assertAlways(
      property(steps, (history) => {
        let stands = nothing;
        for (const [x, y, z, platform] of history) {
          const looked = [x, y, z].flatMap(([outcome, offered], index) => {
            const file = fileOf(["a", "b", "c"][index]!);
            const isKnown = stands.files.some(({ project }) => project === file.project);
            if (outcome === "gone") return [];
            if (outcome === "same" && isKnown) return [same(file)];
            return [outcome === "read" ? read(file, ...offered) : failed(file)];
          });
          const before = stands;
          stands = next(before, looked, platform);
          const all = stands.files.flatMap(({ applications }) => applications);
          assert.equal(new Set([...all, ...platform]).size, all.length + platform.length);
          assert.deepEqual(
            stands.applications.map(({ name }) => name),
            all,
          );
          for (const { file, look } of looked) {
            const now = stands.files.find(({ project }) => project === file.project);
            const last = before.files.find(({ project }) => project === file.project);
            if (look.outcome === "read") {
              const wanted = look.applications.map(({ name }) => name);
              if (now?.problem === "") assert.deepEqual(now.applications, wanted);
            }
            // Nothing is lost by what cannot be read or is refused, but to the platform's own file or, unread, to others.
            if (now?.problem !== "" && last !== undefined && last.oid !== "")
              for (const name of last.applications)
                if (!platform.includes(name)) assert.ok(now?.applications.includes(name), name);
          }
        }
      }),
    );
  });
});
