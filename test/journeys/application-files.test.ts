import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { runDriftless } from "../cli/run.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aConfigMap } from "../support/objects.ts";
import { filesOf } from "../support/single-files.ts";

const [one, two, moved] = ["files-one", "files-two", "files-moved"];
const all = [one, two, moved];

/** A team's own file: each application in the folder and the namespace of its name. */
const teamFile = (...names: readonly string[]): Record<string, string> => ({
  "team.yaml": `applications:\n${names
    .map((name) => `  - { name: ${name}, path: ${name}, cluster: local, namespace: ${name}, sync: { createNamespace: true } }\n`)
    .join("")}`,
});

const settings = (key: string, ...names: readonly string[]) =>
  Object.assign({}, ...names.map((name) => filesOf(name, [aConfigMap("", "settings", { key })]))) as Record<string, string>;

describe("a team's own file", () => {
  let journey: Journey;

  /** The platform's own file, on branch main; the team's is on the branch `team`. */
  const platform = (files: string): Record<string, string> => ({
    "driftless.yaml": [
      "clusters: [{ name: local, context: admin }]",
      "projects:",
      "  - name: team",
      "    identity: installation",
      `    sourceRepos: ["${journey.repository}"]`,
      '    destinations: [{ cluster: local, namespace: "files-*" }]',
      "    clusterResourceWhitelist: [{ kind: Namespace }]",
      `    applicationFiles: [${files}]`,
      "applications: []",
      "",
    ].join("\n"),
  });
  const own = (): string => `{ repository: "${journey.repository}", targetRevision: team, path: team.yaml }`;
  const live = (application: string) => journey.field(["configmap", application, "settings"], ".data.key");
  const synced = async (names: readonly string[], commit: string) => {
    for (const name of names) assert.equal((await journey.synced(name, commit)).phase, "Succeeded", name);
  };
  const status = async () => {
    const { stdout } = await runDriftless(["status"], { environment: { DRIFTLESS_API: `${journey.installation.url}/api` } });
    return stdout;
  };

  before(async () => {
    journey = await startJourney();
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", ...all, "--ignore-not-found", "--wait=false");
    await journey.close();
  });

  test("is synced once the platform names it, and by pushes to its own branch ever after", async () => {
    const first = await journey.push({ ...teamFile(one, two), ...settings("1", one, two, moved) }, "team");
    await journey.push(platform(own()));
    // The applications read the platform's branch, where their folders are too.
    const main = await journey.git("rev-parse", "HEAD");
    await synced([one, two], main);
    assert.equal((await journey.state(one))?.definition.project, "team");
    await journey.push({ ...teamFile(one, two, moved) }, "team");
    await synced([moved], main);
    assert.deepEqual([await live(one), await live(moved)], ["1", "1"]);
    assert.ok(first);
  });

  test("that is broken deletes nothing, says where, and heals what it gave", async () => {
    await journey.push({ "team.yaml": "applications: [{ nam: x }]\n" }, "team");
    const told = await eventually("the problem is told", async () => {
      const text = await status();
      return text.includes("NOT in force") ? text : undefined;
    });
    assert.match(told, /team\.yaml of .* \(team, project team\) is NOT in force as it is[^]*team\.yaml:1:\d+: applications\[0\]/);
    await journey.kubectl("patch", "configmap", "-n", one, "settings", "--type=merge", "-p", '{"data":{"key":"by hand"}}');
    assert.deepEqual((await journey.sweep()).reports[0]?.healing, [one]);
    await eventually("it is healed", async () => (await live(one)) === "1");
    assert.deepEqual(await Promise.all(all.map(live)), ["1", "1", "1"]);
  });

  test("that states one application less has it removed", async () => {
    await journey.push(teamFile(one, moved), "team");
    await eventually("it is pruned", async () => (await live(two)) === "");
    assert.deepEqual([await live(one), await live(moved)], ["1", "1"]);
    assert.doesNotMatch(await status(), /NOT in force/);
  });

  test("that no project names any more gives nothing: its applications are pruned as whom they were applied", async () => {
    await journey.push(platform(""));
    await eventually("all are pruned", async () => (await Promise.all([one, moved].map(live))).every((key) => key === ""));
  });
});
