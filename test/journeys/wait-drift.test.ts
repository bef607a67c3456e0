import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { DriftRow } from "../../lib/model/drift.ts";
import type { SyncRecord } from "../../lib/model/sync.ts";
import { configuration, guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

const desired = "registry.example/guestbook:broken";

describe("drift of what a sync waits for", () => {
  const qa = "wait-qa";
  const told = "wait-e2e";
  let journey: Journey;
  let commit: string;
  let checkpoints = 0;

  before(async () => {
    journey = await startJourney({
      onCheckpoint: () => {
        checkpoints += 1;
        return undefined;
      },
    });
    const files = guestbook({ prefix: "wait", timeout: "300s" });
    const [heals = "", reports = ""] = configuration({
      prefix: "wait",
      environments: ["qa", "e2e"],
      drift: "heal",
      timeout: "300s",
    }).split("    drift: heal\n  - name: wait-e2e");
    commit = await journey.push({
      ...files,
      "driftless.yaml": `${heals}    drift: heal\n  - name: wait-e2e${reports.replace("drift: heal", "drift: report")}`,
      "overlays/qa/kustomization.yaml": overlay({ prefix: "wait", environment: "qa", tag: "broken" }),
      "overlays/e2e/kustomization.yaml": overlay({ prefix: "wait", environment: "e2e", tag: "broken" }),
    });
    for (const application of [qa, told]) {
      await eventually(`${application} waits`, async () => (await running(application))?.phase === "Waiting");
    }
  });
  after(() => journey.close());

  const running = async (application: string): Promise<SyncRecord | undefined> => (await journey.state(application))?.lastSync;
  const image = (namespace: string) =>
    journey.field(["deployment", namespace, "guestbook"], ".spec.template.spec.containers[0].image");
  const rows = async (application: string): Promise<readonly DriftRow[]> => {
    const { items } = await journey.installation.stores.drift.list({ application });
    return items.filter(({ kind }) => kind !== "addition");
  };
  const edit = (namespace: string, tag: string) =>
    journey.kubectl(
      "set",
      "image",
      "deployment/guestbook",
      "-n",
      namespace,
      `web=registry.example/guestbook:${tag}`,
      "--field-manager=kubectl-edit",
    );
  const healed = (count: number) =>
    eventually("the row is closed", async () => {
      const found = await rows(qa);
      return found.length === count && found.every(({ healedAt }) => healedAt !== "") && found;
    });

  test("an edit is put right while the sync waits, with a row and a note, and the sync goes on", async () => {
    const id = (await running(qa))?.id;
    await edit(qa, "mine");
    await eventually("the image is back", async () => (await image(qa)) === desired, 20);
    const [row] = await healed(1);
    assert.deepEqual(
      [row?.field, row?.live, row?.desired, row?.manager, row?.healedBy],
      ['spec.template.spec.containers[name="web"].image', "registry.example/guestbook:mine", desired, "kubectl-edit", id],
    );
    assert.deepEqual([(await running(qa))?.id, (await running(qa))?.finishedAt], [id, ""]);
    await eventually("the events arrive", async () => journey.installation.events.length >= 2);
    assert.deepEqual(
      journey.installation.events.map(({ detailType, detail }) => [detailType, detail["application"], detail["count"]]),
      [
        ["DriftDetected", qa, 1],
        ["DriftHealed", qa, 1],
      ],
    );
    assert.equal((await journey.state(qa))?.drifted, 0);
  });

  test("what is deleted is made again, and waited for", async () => {
    await journey.kubectl("delete", "deployment", "guestbook", "-n", qa);
    await eventually("it is there again", async () => (await image(qa)) === desired, 20);
    const found = await healed(2);
    assert.deepEqual(found.map(({ kind }) => kind).toSorted(), ["changed", "missing"]);
  });

  test("after three times it is left as it is, and a note says by whom it is changed", async () => {
    await edit(qa, "third");
    await eventually("the image is back", async () => (await image(qa)) === desired, 20);
    await healed(3);
    await edit(qa, "broken-fourth");
    const before = checkpoints;
    await eventually("the sync has looked twice more", async () => checkpoints >= before + 6, 60);
    assert.equal(await image(qa), "registry.example/guestbook:broken-fourth");
    const disturbed = () => journey.events.filter(({ event }) => event === "sync.disturbed").length;
    assert.equal(disturbed(), 3);
    const next = await journey.push({
      "overlays/qa/kustomization.yaml": overlay({ prefix: "wait", environment: "qa", tag: "1.1" }),
    });
    const good = await journey.synced(qa, next);
    assert.equal(good.phase, "Succeeded");
    assert.equal(await image(qa), "registry.example/guestbook:1.1");
    const waited = await journey.synced(qa, commit);
    const note = waited.notes.find((line) => line.includes("put right"));
    assert.match(
      note ?? "",
      /Deployment wait-qa\/guestbook was changed by kubectl-edit \(spec.*image\) while the sync waited for it/,
    );
    const last = waited.notes.find((line) => line.includes("left as it is"));
    assert.match(last ?? "", /changed by kubectl-edit .* again after it was put right 3 times: it is left as it is/);
    assert.equal(disturbed(), 3);
  });

  test("under the policy report nothing is put right", async () => {
    // It never gets ready either, or the sync would be over.
    await edit(told, "broken-by-hand");
    const before = checkpoints;
    // A round is at least a look and a pause.
    await eventually("the sync has looked twice more", async () => checkpoints >= before + 6, 60);
    assert.equal((await running(told))?.finishedAt, "");
    assert.equal(await image(told), "registry.example/guestbook:broken-by-hand");
    assert.deepEqual(await rows(told), []);
  });
});
