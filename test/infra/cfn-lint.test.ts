import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { type CfnLint, type CfnLintMissing, openCfnLint } from "../../scripts/cfn-lint.ts";
import { packagedService } from "./artefacts.ts";

const infra = path.join(import.meta.dirname, "..", "..", "infra");
/** What osls writes: a dependency besides the reference that says the same, and conditions over parameters that it knows. */
const ofOsls = ["W3005", "W8003"];

suite("cfn-lint", () => {
  let linter: CfnLint | CfnLintMissing;
  let folder: string;
  before(async () => {
    linter = await openCfnLint({ progress: (line) => process.stderr.write(`${line}\n`) });
    folder = await mkdtemp(path.join(tmpdir(), "driftless-lint-"));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function lint(
    context: TestContext,
    files: readonly string[],
    ignored: readonly string[],
  ): Promise<readonly string[] | undefined> {
    if ("missing" in linter) {
      context.skip(linter.missing);
      return undefined;
    }
    return linter.lint(files, { ignored });
  }

  test("finds nothing in the templates for a cluster, its audit log and its network", async (context) => {
    const files = ["cluster.yml", "audit.yml", "network.yml"].map((name) => path.join(infra, name));
    const found = await lint(context, files, []);
    if (found !== undefined) assert.deepEqual(found, []);
  });

  test("finds nothing in the template of the installation", async (context) => {
    const file = path.join(folder, "template.json");
    await writeFile(file, JSON.stringify((await packagedService()).template));
    const found = await lint(context, [file], ofOsls);
    if (found !== undefined) assert.deepEqual(found, []);
  });

  test("finds what AWS would refuse", async (context) => {
    const file = path.join(folder, "broken.json");
    const queue = { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeout: 43_201 } };
    await writeFile(file, JSON.stringify({ Resources: { Queue: queue } }));
    const found = await lint(context, [file], ofOsls);
    if (found !== undefined) assert.match(found.join("\n"), /E3034.*43201/);
  });
});
