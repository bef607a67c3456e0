import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startAudit } from "../../cli/local/audit.ts";
import { type LocalEks, startEks } from "../../cli/local/eks.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { ensureRuntimeClient } from "../../scripts/runtime-client.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { packagedService } from "../infra/artefacts.ts";
import { guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { region } from "./functions.ts";
import { nameOf, type PackagedInstallation, startPackagedInstallation } from "./installation.ts";
import type { Boots } from "./worker.ts";

const client = await ensureRuntimeClient({ progress: (line) => process.stderr.write(`${line}\n`) });
const skip = whyNot();

function whyNot(): string | false {
  if ("unavailable" in client) return client.unavailable;
  return process.env["DRIFTLESS_TEST_KUBECONFIG"] ? "a cluster that stood before takes no tokens of the stand-in for EKS" : false;
}

const prefix = "packaged";
const qa = `${prefix}-qa`;
const deployment = ["deployment", qa, "guestbook"] as const;
const scale = ["scale", "-n", qa, "deployment/guestbook", "--replicas=5", "--as=ada", "--as-group=system:masters"] as const;

/** With the cluster on EKS: nothing of the zips reads a kubeconfig. */
function repository(): Record<string, string> {
  const files = guestbook({ prefix, environments: ["qa"] });
  const configuration = String(files["driftless.yaml"]).replace("context: admin", `eks: { name: shop, region: ${region} }`);
  return { ...files, "driftless.yaml": configuration };
}

describe("the packaged functions under Lambda's runtime interface", { skip }, () => {
  const boots: Boots[] = [];
  let eks: LocalEks;
  let controlPlane: ControlPlane;
  let installation: PackagedInstallation;
  let journey: Journey;

  before(async () => {
    assert.ok("program" in client);
    const { program } = client;
    const artefacts = await packagedService();
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    eks = await startEks({ region, credentials, groups: ["system:masters"] });
    controlPlane = await startControlPlane({ authenticationWebhook: { url: eks.tokenReviewUrl("shop") }, audit: true });
    eks.put({ name: "shop", endpoint: controlPlane.server, ca: controlPlane.ca });
    journey = await startJourney({
      controlPlane,
      onGithub: true,
      install: async (options) => {
        installation = await startPackagedInstallation({
          ...options,
          artefacts,
          client: program,
          eksEndpoint: eks.endpoint,
          boots,
        });
        return installation;
      },
    });
  });
  after(async () => {
    await journey?.close();
    await controlPlane?.stop();
    await eks?.close();
  });

  const booted = (): readonly string[] => [...new Set(boots.map(({ functionName }) => functionName))].sort();
  const replicas = (): Promise<string> => journey.field(deployment, ".spec.replicas");
  const get = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${journey.installation.url}${path}`);
    assert.equal(answer.status, 200, `${path}: ${answer.status}`);
    return answer.json();
  };

  test("a signed push becomes objects on the cluster: webhook, queue, plan, durable sync", async () => {
    const commit = await journey.push(repository());
    const row = await journey.synced(qa, commit);
    assert.deepEqual([row.phase, row.trigger], ["Succeeded", "push"]);
    assert.equal(await replicas(), "1");
    assert.equal((await journey.state(qa))?.health.status, "Healthy");
    assert.deepEqual(booted(), ["driftless-prod-plan", "driftless-prod-sync", "driftless-prod-webhook"]);
    const [execution] = installation.lambda.executions();
    assert.equal(execution?.status, "SUCCEEDED");
    assert.ok((execution?.checkpoints ?? 0) > 1, "the sync is durable");
    assert.ok(
      journey.github?.gitAuthorizations.every((header) => header.startsWith("Basic ")),
      "Git was read as an App",
    );
  });

  test("a change of one file is synced by the environments that are there already", async () => {
    const before = boots.length;
    const commit = await journey.push({ "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", replicas: 2 }) });
    assert.equal((await journey.synced(qa, commit)).phase, "Succeeded");
    assert.equal(await replicas(), "2");
    assert.equal(boots.length, before);
  });

  test("an edit is found and healed by the sweep", async () => {
    await journey.kubectl(...scale);
    assert.equal(await replicas(), "5");
    await journey.sweep();
    await eventually("the Deployment is healed", async () => (await replicas()) === "2");
    const row = await eventually("the row is closed", async () =>
      (await journey.installation.stores.drift.list({ application: qa })).items.find(({ healedBy }) => healedBy !== ""),
    );
    assert.deepEqual([row.field, row.desired, row.live, row.by], ["spec.replicas", 2, 5, undefined]);
  });

  test("an edit that the audit log tells of is healed at once, and its row says by whom", async () => {
    const { template } = await packagedService();
    const { invoke } = installation.lambda;
    const functionName = nameOf(template, "AuditLambdaFunction");
    assert.ok(controlPlane.auditPort !== undefined);
    const port = controlPlane.auditPort;
    const audit = await startAudit({ port, clusterName: "shop", functionName, invoke, log: silentLog });
    try {
      await journey.kubectl(...scale);
      const row = await eventually("a healed row says who it was", async () =>
        (await journey.installation.stores.drift.list({ application: qa })).items.find(
          ({ by, healedBy }) => by !== undefined && healedBy !== "",
        ),
      );
      assert.equal(row.by?.user, "ada (impersonated by admin)");
      assert.equal(await replicas(), "2");
    } finally {
      await audit.close();
    }
  });

  test("the API answers, and a plan through it by the preview function", async () => {
    const { items } = (await get("/api/applications")) as {
      readonly items: readonly { readonly name: string; readonly sync: string }[];
    };
    assert.deepEqual(
      items.map(({ name, sync }) => ({ name, sync })),
      [{ name: qa, sync: "Synced" }],
    );
    const plan = (await get(`/api/applications/${qa}/plan`)) as {
      readonly changes: readonly unknown[];
      readonly unchanged: number;
    };
    assert.deepEqual([plan.changes, plan.unchanged > 0], [[], true]);
  });

  test("all functions that were packaged have run", async () => {
    assert.deepEqual(booted(), [...installation.functions.keys()].sort());
  });
});
