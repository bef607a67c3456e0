import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { DriftRow } from "../../lib/model/drift.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import type { AuditResult } from "../../lib/sync/audit/audit.ts";
import { anEvent, aPayload } from "../audit/events.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { guestbook } from "../support/guestbook.ts";
import { eventually, type Journey, type LogEvent, startJourney } from "../support/journey.ts";
import { addedRequests, countRequests } from "../support/metrics.ts";

const skip = process.env["DRIFTLESS_TEST_KUBECONFIG"]
  ? "the API server of a cluster that stood before posts no audit log"
  : false;

describe("an edit that the audit log tells of", { skip }, () => {
  const qa = "audit-qa";
  const ada = ["--as=ada", "--as-group=system:masters"] as const;
  let controlPlane: ControlPlane;
  let journey: Journey;

  before(async () => {
    controlPlane = await startControlPlane({ audit: true });
    journey = await startJourney({ controlPlane });
    const commit = await journey.push(guestbook({ prefix: "audit" }));
    await Promise.all([journey.synced(qa, commit), journey.synced("audit-e2e", commit)]);
  });
  after(async () => {
    await journey?.close();
    await controlPlane?.stop();
  });

  const rows = async (): Promise<readonly DriftRow[]> =>
    (await journey.installation.stores.drift.list({ application: qa })).items;

  /** A row that says who made the change, once it is healed. No sweep is ever started here: only the audit log can tell. */
  const told = (what: string, is: (row: DriftRow) => boolean): Promise<DriftRow> =>
    eventually(`${what} is healed, and its row says by whom`, async () =>
      (await rows()).find((row) => is(row) && row.by !== undefined && row.healedBy !== ""),
    );

  const batches = (): readonly LogEvent[] => journey.events.filter(({ event }) => event === "audit.read");

  test("is healed at once, and its row has user, source address and user agent", async () => {
    await journey.kubectl("set", "image", "deployment/guestbook", "-n", qa, "web=registry.example/guestbook:9", ...ada);
    const row = await told("the image", ({ field }) => field.endsWith("image"));
    assert.deepEqual([row.kind, row.live, row.manager], ["changed", "registry.example/guestbook:9", "kubectl-set"]);
    assert.equal(row.by?.user, "ada (impersonated by admin)");
    assert.equal(row.by?.sourceIp, "127.0.0.1");
    assert.match(row.by?.userAgent ?? "", /^kubectl\//);
    assert.equal(
      await journey.field(["deployment", qa, "guestbook"], ".spec.template.spec.containers[0].image"),
      "registry.example/guestbook:1.0",
    );
    const heal = (await journey.syncs(qa)).find(({ id }) => id === row.healedBy);
    assert.equal(heal?.trigger, "heal");
  });

  test("through the subresource scale counts as an edit of its object", async () => {
    await journey.kubectl("scale", "deployment", "guestbook", "-n", qa, "--replicas=4", ...ada);
    const row = await told("the number of replicas", ({ field }) => field === "spec.replicas");
    assert.deepEqual([row.desired, row.live, row.by?.user], [1, 4, "ada (impersonated by admin)"]);
    assert.equal(await journey.field(["deployment", qa, "guestbook"], ".spec.replicas"), "1");
  });

  test("that deletes an object is found, though nothing is left that says whose it was", async () => {
    await journey.kubectl("delete", "service", "guestbook", "-n", qa, "--wait=false", ...ada);
    const row = await told("the Service", ({ kind }) => kind === "missing");
    assert.deepEqual([row.ref.kind, row.field, row.by?.user], ["Service", "", "ada (impersonated by admin)"]);
    assert.equal(await journey.field(["service", qa, "guestbook"], ".metadata.name"), "guestbook");
  });

  test("that takes our label off an object is found", async () => {
    await journey.kubectl("label", "deployment", "guestbook", "-n", qa, "driftless.dev/application-", ...ada);
    const row = await told("the label", ({ field }) => field.includes("driftless.dev/application"));
    assert.deepEqual([row.live, row.by?.user], [undefined, "ada (impersonated by admin)"]);
    assert.equal(await journey.field(["deployment", qa, "guestbook"], ".metadata.labels.driftless\\.dev/application"), qa);
  });

  test("of many objects at once is one run for an application", async () => {
    const before = (await journey.syncs(qa)).length;
    await journey.kubectl("annotate", "deployment/guestbook", "service/guestbook", "-n", qa, "someone=was-here", ...ada);
    await eventually(
      "both additions are recorded, with their user",
      async () => (await rows()).filter(({ kind, by }) => kind === "addition" && by !== undefined).length === 2,
    );
    assert.equal((await journey.syncs(qa)).length, before);
    await journey.kubectl("annotate", "deployment/guestbook", "service/guestbook", "-n", qa, "someone-", ...ada);
    await eventually("the additions are over", async () =>
      (await rows()).every(({ kind, healedAt }) => kind !== "addition" || healedAt !== ""),
    );
  });

  test("by Driftless itself, or by the cluster's own controllers, starts nothing", async () => {
    const commit = await journey.push({
      "base/deployment.yaml": guestbook({ prefix: "audit" })["base/deployment.yaml"]!.replace("info", "debug"),
    });
    await Promise.all([journey.synced(qa, commit), journey.synced("audit-e2e", commit)]);
    const seen = batches().length;
    // What comes after this edit in the log comes after everything before it.
    await journey.kubectl("create", "configmap", "unrelated", "-n", "default", ...ada);
    await eventually("a later edit was read", async () => batches().length > seen);
    const users = (await rows()).map(({ by }) => by?.user ?? "");
    assert.deepEqual([...new Set(users)], ["ada (impersonated by admin)"]);
    const owned = batches()
      .slice(seen)
      .map(({ objects, healing }) => [objects, healing]);
    assert.deepEqual(owned, [[0, []]]);
    assert.ok(
      journey.events.some(({ event, skipped }) => event === "audit.read" && (skipped as { own?: number }).own !== undefined),
    );
  });

  /** Hands events to the function as CloudWatch Logs does. */
  const deliver = async (...events: readonly JsonObject[]): Promise<AuditResult> => {
    const payload = aPayload(events, { logGroup: "/aws/eks/admin/cluster" });
    const data = gzipSync(payload).toString("base64");
    const result = await journey.installation.lambda.invoke("audit", { awslogs: { data } });
    if ("error" in result) throw new Error(result.error.errorMessage);
    return result.payload as AuditResult;
  };
  const user = { username: "grace@example.org" };

  test("that a sweep found first is told later who it was, also when it is healed meanwhile; a second time changes nothing", async () => {
    // The API server says nothing of this user, as of every part of the cluster.
    const kubeconfig = `${controlPlane.folder}/kwok.kubeconfig`;
    await journey.kubectl(
      "set",
      "image",
      "deployment/guestbook",
      "-n",
      qa,
      "web=registry.example/guestbook:8",
      "--kubeconfig",
      kubeconfig,
    );
    await journey.sweep();
    const found = await eventually("the row is healed", async () =>
      (await rows()).find((row) => row.live === "registry.example/guestbook:8" && row.healedBy !== ""),
    );
    assert.equal(found.by, undefined);
    const objectRef = { resource: "deployments", namespace: qa, name: "guestbook", apiGroup: "apps", apiVersion: "v1" };
    const event = anEvent({ user, objectRef, requestReceivedTimestamp: found.changedAt, stageTimestamp: found.changedAt });
    const late = async () => (await rows()).find(({ live }) => live === found.live);
    assert.equal((await deliver(event)).attributed, 1);
    assert.equal((await late())?.by?.user, "grace@example.org");
    const again = await deliver({ ...event, user: { username: "eve" } });
    assert.deepEqual([again.attributed, again.healing], [0, []]);
    assert.deepEqual(await late(), { ...found, by: (await late())?.by });
  });

  test("that a policy of ours refused is a row that was never open, however often it is told", async () => {
    const message = `services "guestbook" is forbidden: ValidatingAdmissionPolicy 'driftless-prevent-x' with binding 'driftless-prevent-x' denied request: no`;
    const objectRef = { resource: "services", namespace: qa, name: "guestbook", apiVersion: "v1" };
    const at = new Date(Date.now() - 60_000).toISOString();
    const refused = anEvent({
      user,
      objectRef,
      requestReceivedTimestamp: at,
      stageTimestamp: at,
      responseStatus: { status: "Failure", code: 403, message },
    });
    assert.deepEqual([(await deliver(refused)).prevented, (await deliver(refused)).prevented], [1, 1]);
    assert.ok(journey.events.some(({ event, DriftPrevented }) => event === "metrics" && DriftPrevented === 1));
    const prevented = (await rows()).filter(({ kind }) => kind === "prevented");
    assert.deepEqual(
      prevented.map(({ ref, field, by, healedAt, healedBy }) => [ref.kind, field, by?.user, healedAt, healedBy]),
      [["Service", "", "grace@example.org", at, ""]],
    );
    assert.equal((await journey.state(qa))?.drifted, 0);
  });

  test("of an object that is nobody's costs one read, and starts nothing", async () => {
    const names = Array.from({ length: 300 }, (_, index) => `stranger-${index}`);
    const events = names.flatMap((name) => [
      anEvent({ user, objectRef: { resource: "secrets", namespace: "default", name, apiVersion: "v1" } }),
      anEvent({ user, auditID: "again", objectRef: { resource: "secrets", namespace: "default", name, apiVersion: "v1" } }),
    ]);
    const before = await countRequests(journey.controlPlane, ["secrets"]);
    const { edits, objects, healing, left } = await deliver(...events);
    const added = addedRequests(before, await countRequests(journey.controlPlane, ["secrets"]));
    assert.deepEqual(
      { edits, objects, healing, left },
      { edits: 600, objects: 0, healing: [], left: { objects: 100, applications: [] } },
    );
    assert.deepEqual(Object.values(added), [200]);
    assert.ok(Object.keys(added)[0]?.startsWith("GET"));
  });

  test("of a whole namespace's collection is one of each object of it", async () => {
    await journey.kubectl("delete", "services", "--all", "-n", qa, "--wait=false", ...ada);
    await eventually(
      "the Service is there again",
      async () =>
        (await rows()).filter(({ kind, healedBy, by }) => kind === "missing" && healedBy !== "" && by !== undefined).length === 2,
    );
  });

  test("in a log that is broken, or not a cluster's, is left alone", async () => {
    const nothing = { edits: 0, objects: 0, healing: [], attributed: 0, prevented: 0, left: { objects: 0, applications: [] } };
    assert.deepEqual(await deliver({ kind: "Event" }), nothing);
    for (const event of [{}, { awslogs: { data: "bm90IGd6aXA=" } }, { awslogs: {} }]) {
      const result = await journey.installation.lambda.invoke("audit", event);
      assert.deepEqual(result, { payload: nothing });
    }
  });
});
