import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aConfigMap } from "../support/objects.ts";
import { filesOf } from "../support/single-files.ts";

/** One application for each folder below `fleet` and each cluster with the label, in a namespace of its own. */
const generated = (folder = "fleet/*", second = "dev"): Record<string, string> => ({
  "driftless.yaml": [
    "clusters:",
    "  - { name: local, context: admin, labels: { tier: prod } }",
    `  - { name: second, context: admin, labels: { tier: ${second} } }`,
    "applicationSets:",
    "  - name: fleet",
    "    generators:",
    "      - matrix:",
    "          generators:",
    `            - git: { directories: [{ path: "${folder}" }] }`,
    "            - clusters: { selector: { matchLabels: { tier: prod } } }",
    "    template:",
    '      name: "gen-{{path.basename}}-{{name}}"',
    '      path: "{{path}}"',
    '      cluster: "{{name}}"',
    '      namespace: "gen-{{path.basename}}-{{name}}"',
    "      sync: { createNamespace: true }",
    "",
  ].join("\n"),
});

const folder = (name: string, objects = 1) =>
  filesOf(
    `fleet/${name}`,
    Array.from({ length: objects }, (_, n) => aConfigMap("", n === 0 ? "settings" : `more-${n}`)),
  );

describe("applications that generators give", () => {
  let journey: Journey;
  const made = ["gen-a-local", "gen-b-local", "gen-a-second", "gen-b-second"];
  const live = (namespace: string) => journey.field(["configmap", namespace, "settings"], ".data.key");

  before(async () => {
    journey = await startJourney();
    const commit = await journey.push({ ...generated(), ...folder("a", 3) });
    assert.equal((await journey.synced("gen-a-local", commit)).phase, "Succeeded");
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", ...made, "--ignore-not-found", "--wait=false");
    await journey.close();
  });

  test("come with a new folder, without a change of driftless.yaml", async () => {
    const commit = await journey.push(folder("b", 30));
    assert.equal((await journey.synced("gen-b-local", commit)).phase, "Succeeded");
    assert.equal(await live("gen-b-local"), "1");
  });

  test("come with a second cluster that has the label", async () => {
    const commit = await journey.push(generated(undefined, "prod"));
    for (const name of ["gen-a-second", "gen-b-second"]) assert.equal((await journey.synced(name, commit)).phase, "Succeeded");
    assert.equal(await live("gen-a-second"), "1");
    await journey.push(generated());
    await eventually("it is gone with the label", async () => (await live("gen-a-second")) === "");
  });

  test("stay as they are when the generator is broken, and the problem is told", async () => {
    const before = await journey.syncs("gen-a-local");
    await journey.push(generated("flet/*"));
    const problem = await eventually("the problem is told", async () => {
      const response = await fetch(`${journey.installation.url}/api/applications`);
      return ((await response.json()) as { configurationProblem: string }).configurationProblem || undefined;
    });
    assert.match(problem, /^driftless\.yaml:\d+:\d+: applicationSets\[0\]/);
    assert.deepEqual([await live("gen-a-local"), await live("gen-b-local")], ["1", "1"]);
    assert.equal((await journey.syncs("gen-a-local")).length, before.length);
    await journey.push(generated());
    await eventually("it is in force again", async () => (await journey.installation.stores.configuration.loadProblem()) === "");
  });

  test("go with their folder: what the guard lets go is pruned, and what is too much waits for approval", async () => {
    const gone = (name: string, objects: number) =>
      Object.fromEntries(Object.keys(folder(name, objects)).map((path) => [path, null]));
    await journey.push(gone("b", 30));
    const blocked = await eventually("the guard holds it", async () =>
      (await journey.syncs("gen-b-local")).find(({ phase }) => phase === "Blocked"),
    );
    assert.match(blocked.errors.join("\n"), /driftless plan gen-b-local/);
    assert.equal(await live("gen-b-local"), "1");

    await journey.push({ ...folder("c"), ...gone("a", 3) });
    await eventually("it is pruned", async () => (await live("gen-a-local")) === "");
  });
});
