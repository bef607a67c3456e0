import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Manifest } from "../../lib/model/resource.ts";
import { runDriftless } from "../cli/run.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aConfigMap } from "../support/objects.ts";
import { filesOf } from "../support/single-files.ts";

const [own, other] = ["projects-own", "projects-other"];
const application = "projects-app";

const clusterRole: Manifest = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: "projects-all" },
  rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
};

describe("a project", () => {
  let journey: Journey;

  const platform = (sourceRepos = journey.repository): Record<string, string> => ({
    "driftless.yaml": [
      "clusters: [{ name: local, context: admin }]",
      "projects:",
      `  - { name: team, identity: installation, sourceRepos: ["${sourceRepos}"], destinations: [{ cluster: local, namespace: ${own} }],`,
      `      applicationFiles: [{ repository: "${journey.repository}", path: team.yaml }] }`,
      "applications: []",
      "",
    ].join("\n"),
  });
  const team = (namespace = own): Record<string, string> => ({
    "team.yaml": `applications: [{ name: ${application}, path: ${application}, cluster: local, namespace: ${namespace} }]\n`,
  });
  const live = (namespace: string, name = "settings") => journey.field(["configmap", namespace, name], ".data.key");
  /** Log events of the function that alone may write to a cluster. */
  const writes = () => journey.events.filter((event) => event["function"] === "sync").length;

  /** Pushes, and waits until the delivery says how it ended. */
  async function refused(files: Readonly<Record<string, string | null>>): Promise<string> {
    const commit = await journey.push(files);
    const delivery = await eventually("the delivery failed", async () => {
      const { items } = await journey.installation.stores.deliveries.list();
      return items.find(({ after: pushed, state }) => pushed === commit && state === "failed");
    });
    return delivery.reason;
  }

  before(async () => {
    journey = await startJourney();
    for (const namespace of [own, other]) await journey.kubectl("create", "namespace", namespace);
    const files = filesOf(application, [aConfigMap("", "settings")]);
    const commit = await journey.push({ ...platform(), ...team(), ...files });
    assert.equal((await journey.synced(application, commit)).phase, "Succeeded");
    assert.equal(await live(own), "1");
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", own, other, "--wait=false");
    await journey.close();
  });

  test("refuses an application outside of it: nothing is rendered, and no request goes to the cluster", async () => {
    const [before, rendered] = [writes(), journey.events.filter(({ event }) => event === "plan.render").length];
    assert.match(
      await refused(team(other)),
      /project team does not allow the namespace projects-other of cluster local: add it to/,
    );
    assert.equal(writes(), before);
    assert.equal(journey.events.filter(({ event }) => event === "plan.render").length, rendered);
    assert.deepEqual([await live(own), await live(other)], ["1", ""]);
    await journey.push(team());
  });

  test("refuses a rendered object for another namespace, and a kind without one: nothing of the commit is applied", async () => {
    const [before, runs] = [writes(), (await journey.syncs(application)).length];
    const objects = [aConfigMap("", "settings", { key: "2" }), aConfigMap(other, "intruder"), clusterRole];
    const reason = await refused(filesOf(application, objects));
    assert.match(reason, /ConfigMap projects-other\/intruder: project team does not allow the namespace projects-other/);
    assert.match(reason, /ClusterRole projects-all: project team does not allow ClusterRole of rbac\.authorization\.k8s\.io/);
    assert.deepEqual([await live(own), await live(other, "intruder"), writes()], ["1", "", before]);
    assert.equal(await journey.kubectl("get", "clusterrole", "projects-all", "--ignore-not-found"), "");

    const environment = { DRIFTLESS_API: `${journey.installation.url}/api` };
    const head = await journey.git("rev-parse", "HEAD");
    const { stderr } = await runDriftless(["plan", application, "--revision", head], { environment });
    assert.match(stderr, /intruder: project team does not allow/);

    // Refused, it is not healed either; the row tells of a failed plan, and no run.
    await journey.kubectl("patch", "configmap", "-n", own, "settings", "--type=merge", "-p", '{"data":{"key":"by hand"}}');
    assert.deepEqual((await journey.sweep()).reports[0]?.healing, []);
    assert.deepEqual([await live(own), (await journey.syncs(application)).length], ["by hand", runs + 1]);
  });

  test("that does not allow an application any more keeps its objects; that allows it again has it synced", async () => {
    const files = Object.fromEntries(
      Object.keys(filesOf(application, [aConfigMap(other, "intruder"), clusterRole])).map((path) => [path, null]),
    );
    assert.match(await refused({ ...platform("https://git.example/none"), ...files }), /does not allow the repository/);
    assert.equal(await live(own), "by hand");
    const commit = await journey.push(platform());
    assert.equal((await journey.synced(application, commit)).phase, "Succeeded");
    assert.equal(await live(own), "2");
  });
});
