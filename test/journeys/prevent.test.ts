import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isPreventionRefusal } from "../../lib/model/prevention.ts";
import { configuration, guestbook } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

const scale = (replicas: number): readonly string[] => ["scale", "deployment", "guestbook", `--replicas=${replicas}`];
const edits: readonly (readonly [what: string, command: readonly string[]])[] = [
  ["an image", ["set", "image", "deployment/guestbook", "web=registry.example/guestbook:9"]],
  ["the scale", scale(5)],
  ["our label", ["label", "deployment", "guestbook", "driftless.dev/application-"]],
  ["the whole object", ["delete", "service", "guestbook", "--wait=false"]],
];

describe("drift under the policy prevent", () => {
  const [qa, e2e] = ["prevent-qa", "prevent-e2e"];
  let journey: Journey;

  before(async () => {
    journey = await startJourney();
    const files = guestbook({ prefix: "prevent" });
    const policies = (files["driftless.yaml"] as string).replace("drift: heal", "drift: prevent");
    const commit = await journey.push({ ...files, "driftless.yaml": policies });
    await Promise.all([journey.synced(qa, commit), journey.synced(e2e, commit)]);
  });
  after(() => journey.close());

  /** What kubectl says when the API server refuses; "" when it lets the edit through. */
  const refusal = async (namespace: string, command: readonly string[]): Promise<string> => {
    try {
      await journey.kubectl(...command, "-n", namespace);
      return "";
    } catch (error) {
      return (error as { readonly stderr?: string }).stderr ?? "";
    }
  };

  test("comes into force with a sweep; its refusal names the application and where the change belongs", async () => {
    const { reports } = await journey.sweep();
    assert.deepEqual(reports[0]?.errors, []);
    // The API server takes a moment to see a new policy; what gets through until then is healed.
    let replicas = 1;
    const told = await eventually("the policy is in force", async () => {
      replicas += 1;
      const said = await refusal(qa, scale(replicas));
      return said !== "" && said;
    });
    await journey.sweep();
    await eventually("nothing is left of it", async () => {
      const healed = (await journey.field(["deployment", qa, "guestbook"], ".spec.replicas")) === "1";
      return healed && (await journey.state(qa))?.drifted === 0;
    });
    assert.ok(isPreventionRefusal(told), told);
    assert.match(told, /belongs to application prevent-qa/);
    assert.ok(told.includes(`${journey.repository}, path overlays/qa, branch main`), told);
  });

  for (const [what, command] of edits) {
    test(`${what} cannot be changed by a cluster-admin, and no row of drift comes of the try`, async () => {
      assert.ok(isPreventionRefusal(await refusal(qa, command)));
      const { reports } = await journey.sweep();
      assert.deepEqual([reports[0]?.drifted, reports[0]?.errors], [0, []]);
    });
  }

  test("leaves the applications beside it alone, whose drift is healed", async () => {
    assert.equal(await refusal(e2e, scale(3)), "");
    const { reports } = await journey.sweep();
    assert.deepEqual(reports[0]?.healing, [e2e]);
    await eventually(
      "it is healed",
      async () => (await journey.field(["deployment", e2e, "guestbook"], ".spec.replicas")) === "1",
    );
  });

  test("lets Driftless itself apply and prune", async () => {
    const files = guestbook({ prefix: "prevent" });
    const commit = await journey.push({
      "base/kustomization.yaml": "resources: [deployment.yaml]\n",
      "base/service.yaml": null,
      "base/deployment.yaml": (files["base/deployment.yaml"] as string).replace("value: info", "value: debug"),
    });
    const { phase, counts } = await journey.synced(qa, commit);
    assert.deepEqual([phase, counts.configured, counts.pruned], ["Succeeded", 1, 1]);
  });

  test("is gone a sweep after nobody asks for it, and edits are healed as they were", async () => {
    await journey.push({
      "driftless.yaml": configuration({ prefix: "prevent", environments: ["qa", "e2e"], drift: "heal", timeout: "60s" }),
    });
    await eventually(
      "the policy of the application is another",
      async () => (await journey.state(qa))?.definition.drift === "heal",
    );
    await journey.sweep();
    await eventually("edits are let through", async () => (await refusal(qa, scale(2))) === "");
    const { reports } = await journey.sweep();
    assert.deepEqual(reports[0]?.healing, [qa]);
    assert.equal(await journey.kubectl("get", "validatingadmissionpolicies", "-l", "driftless.dev/prevention", "-o", "name"), "");
  });
});
