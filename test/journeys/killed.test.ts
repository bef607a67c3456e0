import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CheckpointVerdict } from "../../cli/local/durable.ts";
import { configMap, guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

/** More checkpoints than any of these runs makes. */
const most = 40;

describe("a worker that is killed", () => {
  const prefix = "killed";
  let journey: Journey;
  let round = 0;
  let countdown = { left: 0, verdict: undefined as CheckpointVerdict };

  /** A push that changes the image, adds one object and drops the one that the last push added. */
  const nextPush = (): Promise<string> => {
    round += 1;
    return journey.push({
      [`overlays/qa/extra-${round}.yaml`]: configMap(`extra-${round}`),
      [`overlays/qa/extra-${round - 1}.yaml`]: round === 1 ? configMap("extra-0") : null,
      "overlays/qa/kustomization.yaml": overlay({
        prefix,
        environment: "qa",
        tag: `1.${round}`,
        resources: [`extra-${round}.yaml`],
      }),
    });
  };

  const assertConverged = async (commit: string): Promise<void> => {
    const sync = await journey.synced("killed-qa", commit);
    assert.equal(sync.phase, "Succeeded", sync.errors.join("; "));
    assert.equal((await journey.state("killed-qa"))?.lastSync?.revision, commit);
    const image = await journey.field(["deployment", "killed-qa", "guestbook"], ".spec.template.spec.containers[0].image");
    assert.equal(image, `registry.example/guestbook:1.${round}`);
    const owned = await journey.kubectl("get", "configmap", "-n", "killed-qa", "-l", "driftless.dev/application", "-o", "name");
    assert.equal(owned, `configmap/extra-${round}`);
    const inventory = await journey.installation.stores.inventories.load("killed-qa");
    assert.deepEqual(inventory?.entries.map(({ ref }) => ref.name).sort(), [
      `extra-${round}`,
      "guestbook",
      "guestbook",
      "killed-qa",
    ]);
    await eventually("the lease is free", async () => (await journey.installation.stores.leases.get("killed-qa")) === undefined);
  };

  before(async () => {
    journey = await startJourney({
      onCheckpoint: () => {
        countdown.left -= 1;
        return countdown.left === 0 ? countdown.verdict : undefined;
      },
    });
    await journey.synced("killed-qa", await journey.push(guestbook({ prefix, environments: ["qa"] })));
    await assert.doesNotReject(async () => journey.synced("killed-qa", await nextPush()));
  });
  after(() => journey.close());

  for (const verdict of ["kill", "lose"] as const) {
    test(`between any two steps (${verdict}) is followed by one that resumes the run, and the cluster converges`, async () => {
      let checkpoint = 1;
      for (; checkpoint < most; checkpoint++) {
        countdown = { left: checkpoint, verdict };
        await assertConverged(await nextPush());
        if (countdown.left > 0) break;
      }
      assert.ok(checkpoint > 4 && checkpoint < most, `the run has ${checkpoint - 1} checkpoints`);
    });
  }

  test("in the middle of its work, also twice in a row, loses nothing", async () => {
    for (const event of ["plan.begun", "plan.render", "sync.begun", "sync.configured"]) {
      const seen = journey.events.length;
      const commit = await nextPush();
      for (let time = 1; time <= 2; time++) {
        await eventually(
          `${event}, the ${time}. time`,
          async () =>
            journey.events.slice(seen).filter((line) => line.event === event).length >= time ||
            (await journey.syncs("killed-qa")).some(({ revision, finishedAt }) => revision === commit && finishedAt !== ""),
        );
        journey.installation.lambda.kill();
      }
      await assertConverged(commit);
    }
  });

  test("and whose run is forgotten altogether is replaced by the sweep once its lease has run out", async () => {
    const { stores, lambda } = journey.installation;
    const state = await journey.state("killed-qa");
    assert.ok(state?.desired && state.lastSync);
    const lost = { ...state.lastSync, phase: "Waiting" as const, finishedAt: "" };
    assert.ok(await stores.applications.put({ ...state, lastSync: lost, version: state.version + 1 }));
    const { restarted } = await journey.sweep();
    assert.deepEqual(restarted, ["killed-qa"]);
    const again = await eventually("the run of the sweep", async () =>
      (await journey.syncs("killed-qa")).find(({ trigger, finishedAt }) => trigger === "sweep" && finishedAt !== ""),
    );
    assert.equal(again.phase, "Succeeded");
    assert.ok(lambda.executions().every(({ status }) => status !== "FAILED"));
  });
});
