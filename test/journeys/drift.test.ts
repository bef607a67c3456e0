import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { DriftRow } from "../../lib/model/drift.ts";
import { guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { addedRequests, countRequests } from "../support/metrics.ts";

const kinds = ["deployments", "services", "namespaces"];

const rowsOf = async (journey: Journey, application: string): Promise<readonly DriftRow[]> =>
  (await journey.installation.stores.drift.list({ application })).items;

/** What a test says of a row. */
const seen = ({ kind, ref, field, desired, live, manager }: DriftRow) => [kind, ref.kind, field, desired, live, manager];

describe("drift under the policy heal", () => {
  const qa = "heal-qa";
  let journey: Journey;

  const drifted = async (...change: readonly string[]): Promise<readonly DriftRow[]> => {
    await journey.kubectl(...change);
    const { reports } = await journey.sweep();
    assert.deepEqual(reports[0]?.healing, [qa]);
    await eventually("the drift is healed", async () =>
      (await rowsOf(journey, qa)).every(({ healedAt, kind }) => healedAt !== "" || kind === "addition"),
    );
    return rowsOf(journey, qa);
  };

  before(async () => {
    journey = await startJourney();
    const commit = await journey.push(guestbook({ prefix: "heal" }));
    await Promise.all([journey.synced("heal-qa", commit), journey.synced("heal-e2e", commit)]);
  });
  after(() => journey.close());

  test("a sweep without drift costs one LIST a kind, reads and writes nothing else, and leaves a report", async () => {
    await journey.sweep();
    const before = await countRequests(journey.controlPlane, kinds);
    const { reports } = await journey.sweep();
    const added = addedRequests(before, await countRequests(journey.controlPlane, kinds));
    const ours = Object.entries(added).filter(([key]) => !key.startsWith("WATCH"));
    assert.deepEqual(
      ours.filter(([key]) => !key.startsWith("LIST")),
      [],
    );
    assert.ok(
      ours.every(([, count]) => count === 1),
      JSON.stringify(added),
    );
    assert.deepEqual(
      reports.map(({ objects, requests, suspects, drifted: found }) => ({ objects, requests, suspects, found })),
      [{ objects: 6, requests: 3, suspects: 0, found: 0 }],
    );
    assert.equal((await journey.installation.stores.sweeps.list("local")).items.length, 2);
  });

  test("kubectl scale is found by one sweep, with field, values, manager and time, and healed", async () => {
    const rows = await drifted("scale", "deployment", "guestbook", "-n", qa, "--replicas=4");
    const [row] = rows;
    assert.ok(row);
    assert.deepEqual(seen(row), ["changed", "Deployment", "spec.replicas", 1, 4, "kubectl"]);
    assert.match(row.changedAt, /^\d{4}-\d\d-\d\dT/);
    assert.equal(await journey.field(["deployment", qa, "guestbook"], ".spec.replicas"), "1");
    const heal = (await journey.syncs(qa)).find(({ trigger }) => trigger === "heal");
    assert.equal(row.healedBy, heal?.id);
    await eventually("the application has no drift", async () => (await journey.state(qa))?.drifted === 0);
  });

  test("kubectl set image is found by one sweep, and healed", async () => {
    const rows = await drifted("set", "image", "deployment/guestbook", "-n", qa, "web=registry.example/guestbook:9");
    const row = rows.find(({ field }) => field.endsWith("image"));
    assert.ok(row);
    assert.deepEqual(seen(row), [
      "changed",
      "Deployment",
      'spec.template.spec.containers[name="web"].image',
      "registry.example/guestbook:1.0",
      "registry.example/guestbook:9",
      "kubectl-set",
    ]);
    assert.equal(
      await journey.field(["deployment", qa, "guestbook"], ".spec.template.spec.containers[0].image"),
      "registry.example/guestbook:1.0",
    );
  });

  test("a label of ours that was changed or removed is found by one sweep, and healed", async () => {
    const changed = await drifted("label", "deployment", "guestbook", "-n", qa, "--overwrite", "tier=other");
    assert.ok(
      changed.some((row) => row.field === "metadata.labels.tier" && row.live === "other" && row.manager === "kubectl-label"),
    );
    const removed = await drifted("label", "deployment", "guestbook", "-n", qa, "tier-", "driftless.dev/application-");
    assert.ok(removed.some((row) => row.field === 'metadata.labels["driftless.dev/application"]' && row.live === undefined));
    assert.equal(await journey.field(["deployment", qa, "guestbook"], ".metadata.labels.tier"), "web");
  });

  test("a deleted object is found by one sweep, and is there again", async () => {
    const rows = await drifted("delete", "service", "guestbook", "-n", qa);
    assert.ok(rows.some((row) => row.kind === "missing" && row.ref.kind === "Service" && row.field === ""));
    assert.equal(await journey.field(["service", qa, "guestbook"], ".metadata.name"), "guestbook");
  });

  test("a changed value of a Secret that is written as stringData is found, shown to nobody, and healed", async () => {
    const secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: login }\nstringData: { password: as-desired }\n";
    const kustomization = overlay({ prefix: "heal", environment: "qa", resources: ["login.yaml"] });
    const commit = await journey.push({ "overlays/qa/login.yaml": secret, "overlays/qa/kustomization.yaml": kustomization });
    assert.equal((await journey.synced(qa, commit)).phase, "Succeeded");
    const rows = await drifted(
      "patch",
      "secret",
      "login",
      "-n",
      qa,
      "--type=merge",
      '--patch={"stringData":{"password":"drifted"}}',
    );
    const row = rows.find(({ ref }) => ref.kind === "Secret");
    assert.ok(row);
    assert.deepEqual([row.field, row.desired, row.live], ["data.password", "[secret]", "[secret, changed]"]);
    const live = await journey.field(["secret", qa, "login"], ".data.password");
    assert.equal(Buffer.from(live, "base64").toString(), "as-desired");
  });

  test("a field that others add is reported as an addition, and left alone", async () => {
    await journey.kubectl("annotate", "service", "guestbook", "-n", qa, "someone=was-here");
    const { reports } = await journey.sweep();
    assert.deepEqual([reports[0]?.drifted, reports[0]?.healing], [0, []]);
    const addition = (await rowsOf(journey, qa)).find(({ kind }) => kind === "addition");
    assert.ok(addition);
    assert.deepEqual(seen(addition), [
      "addition",
      "Service",
      "metadata.annotations.someone",
      undefined,
      "was-here",
      "kubectl-annotate",
    ]);
    assert.equal(await journey.field(["service", qa, "guestbook"], ".metadata.annotations.someone"), "was-here");
    await journey.kubectl("annotate", "service", "guestbook", "-n", qa, "someone-");
    await journey.sweep();
    assert.ok((await rowsOf(journey, qa)).every(({ healedAt }) => healedAt !== ""));
  });

  test("an object with our label that no application owns is an orphan", async () => {
    await journey.kubectl("create", "service", "clusterip", "stray", "-n", qa, "--tcp=80");
    await journey.kubectl("label", "service", "stray", "-n", qa, "driftless.dev/application=heal-qa");
    await journey.sweep();
    const orphans = (await rowsOf(journey, qa)).filter(({ kind, healedAt }) => kind === "orphan" && healedAt === "");
    assert.deepEqual(
      orphans.map(({ ref }) => ref.name),
      ["stray"],
    );
    assert.equal(await journey.field(["service", qa, "stray"], ".metadata.name"), "stray");
  });

  test("the drift of one application is not the other's", async () => {
    assert.deepEqual(await rowsOf(journey, "heal-e2e"), []);
  });
});

describe("drift under the policies report and ignore", () => {
  let journey: Journey;
  before(async () => {
    journey = await startJourney();
    const commit = await journey.push(guestbook({ prefix: "report", drift: "report" }));
    await Promise.all([journey.synced("report-qa", commit), journey.synced("report-e2e", commit)]);
  });
  after(() => journey.close());

  test("report writes rows and leaves the cluster alone; the row closes when somebody puts it right", async () => {
    await journey.kubectl("scale", "deployment", "guestbook", "-n", "report-qa", "--replicas=3");
    const first = await journey.sweep();
    await journey.sweep();
    assert.deepEqual([first.reports[0]?.drifted, first.reports[0]?.healing], [1, []]);
    const [row] = await rowsOf(journey, "report-qa");
    assert.ok(row);
    assert.deepEqual(seen(row), ["changed", "Deployment", "spec.replicas", 1, 3, "kubectl"]);
    assert.ok(row.lastSeen > row.firstSeen);
    assert.equal(await journey.field(["deployment", "report-qa", "guestbook"], ".spec.replicas"), "3");
    assert.equal((await journey.state("report-qa"))?.drifted, 1);

    await journey.kubectl("scale", "deployment", "guestbook", "-n", "report-qa", "--replicas=1");
    await journey.sweep();
    const [closed] = await rowsOf(journey, "report-qa");
    assert.deepEqual([closed?.healedAt !== "", closed?.healedBy], [true, ""]);
  });

  test("ignore writes no row", async () => {
    await journey.push({ "driftless.yaml": guestbook({ prefix: "report", drift: "ignore" })["driftless.yaml"] ?? "" });
    await eventually("the policy is in force", async () => (await journey.state("report-e2e"))?.definition.drift === "ignore");
    await journey.kubectl("scale", "deployment", "guestbook", "-n", "report-e2e", "--replicas=3");
    await journey.sweep();
    assert.deepEqual(await rowsOf(journey, "report-e2e"), []);
  });
});
