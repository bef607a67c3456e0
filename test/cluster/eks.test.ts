import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { EKSClient } from "@aws-sdk/client-eks";
import { type LocalEks, startEks } from "../../cli/local/eks.ts";
import { createClusters } from "../../lib/cluster/clusters.ts";
import { mintToken, openEks } from "../../lib/cluster/eks.ts";
import type { Cluster } from "../../lib/model/application.ts";
import type { Clock } from "../../lib/telemetry/clock.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { callApi } from "../control-plane/api.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { sharedControlPlane } from "../support/cluster.ts";
import { aConfigMap } from "./open.ts";

const region = "eu-central-1";
const credentials = { accessKeyId: "AKIDLOCAL", secretAccessKey: "local-secret", sessionToken: "local/session+token==" };
const shop: Cluster = { name: "production", kind: "eks", clusterName: "shop", region, role: "", externalId: "", labels: {} };

/** A clock that tests set; the API server and the token review have their own. */
function aClock(): Clock & { minutes: number } {
  return {
    minutes: 0,
    now() {
      return new Date(start + this.minutes * 60_000);
    },
  };
}
const start = Date.now();

const none = () => Promise.reject(Object.assign(new Error("Could not load credentials"), { name: "CredentialsProviderError" }));

describe("a cluster on EKS", () => {
  let eks: LocalEks;
  let controlPlane: ControlPlane;
  const reviewClock = aClock();

  const client = (overrides: Partial<typeof credentials> = {}) =>
    new EKSClient({ region, endpoint: eks.endpoint, credentials: { ...credentials, ...overrides }, maxAttempts: 1 });

  before(async () => {
    eks = await startEks({ region, credentials, groups: ["system:masters"], clock: reviewClock });
    controlPlane = await startControlPlane({ authenticationWebhook: { url: eks.tokenReviewUrl("shop") }, nodes: 0 });
    eks.put({ name: "shop", endpoint: controlPlane.server, ca: controlPlane.ca });
  });
  after(async () => {
    await controlPlane?.stop();
    await eks?.close();
  });

  const whoami = async (token: string) => {
    const { status } = await callApi({ server: controlPlane.server, ca: controlPlane.ca, token }, "/api/v1/namespaces/default");
    return status;
  };

  test("DescribeCluster and a locally signed token open the cluster, for reading and writing", async (t) => {
    const eksClient = client();
    t.after(() => eksClient.destroy());
    const clusters = createClusters({
      find: async () => shop,
      project: async () => undefined,
      eksClient: () => eksClient,
      clock: aClock(),
      log: silentLog,
    });
    t.after(() => clusters.close());
    const writer = await clusters.writer("production");
    const written = await writer.apply(aConfigMap("default", "eks", { a: "1" }), { force: true });
    const reader = await clusters.reader("production");
    assert.deepEqual(
      await reader.get({ group: "", version: "v1", kind: "ConfigMap", namespace: "default", name: "eks" }),
      written,
    );
    assert.equal(reader.requests, 1, "discovery is shared with the writer");
  });

  test("the API server refuses tokens that are forged, expired or another cluster's", async () => {
    const good = { clusterName: "shop", region, credentials, at: reviewClock.now() };
    assert.equal(await whoami(mintToken(good)), 200);
    assert.equal(await whoami(mintToken({ ...good, clusterName: "other" })), 401);
    assert.equal(await whoami(mintToken({ ...good, credentials: { ...credentials, secretAccessKey: "guess" } })), 401);
    assert.equal(await whoami(mintToken({ ...good, at: new Date(reviewClock.now().getTime() - 16 * 60_000) })), 401);
    assert.equal(await whoami(`${mintToken(good)}A`), 401);
  });

  test("a token is kept for ten minutes and then signed anew", async (t) => {
    const [eksClient, clock] = [client(), aClock()];
    t.after(() => eksClient.destroy());
    const { authorize } = await openEks("shop", { client: eksClient, clock });
    const header = async (fresh = false) => (await authorize?.({ fresh }))?.reveal();
    const first = await header();
    clock.minutes = 9;
    assert.equal(await header(), first);
    clock.minutes = 10;
    const second = await header();
    assert.notEqual(second, first);
    clock.minutes = 11;
    assert.notEqual(await header(true), second);
  });

  test("a token that the server does not take is signed anew with the next request", async (t) => {
    const [eksClient, clock] = [client(), aClock()];
    t.after(() => eksClient.destroy());
    const clusters = createClusters({
      find: async () => shop,
      project: async () => undefined,
      eksClient: () => eksClient,
      clock,
      log: silentLog,
    });
    t.after(() => clusters.close());
    const reader = await clusters.reader("production");
    const ref = { group: "", version: "v1", kind: "Namespace", namespace: "", name: "default" };
    clock.minutes = -20;
    const pending = reader.get(ref);
    await assert.rejects(pending, { code: "cluster", retryable: false, message: /does not know this identity/ });
    clock.minutes = 0;
    assert.equal((await reader.get(ref))?.metadata.name, "default");
  });

  test("a cluster that EKS does not have is a permanent error that says where", async (t) => {
    const eksClient = client();
    t.after(() => eksClient.destroy());
    await assert.rejects(openEks("none", { client: eksClient, clock: aClock() }), {
      code: "cluster",
      retryable: false,
      message: /^Cannot describe EKS cluster none in eu-central-1: No cluster found for name: none\.; check its name, its region/,
    });
  });

  test("a cluster without an endpoint is waited for while it is made, and not when it is going or has failed", async (t) => {
    const eksClient = client();
    t.after(() => eksClient.destroy());
    const open = (status: string) => {
      eks.put({ name: "young", endpoint: controlPlane.server, ca: controlPlane.ca, status });
      return openEks("young", { client: eksClient, clock: aClock() });
    };
    const text = "EKS cluster young in eu-central-1 has no endpoint";
    await assert.rejects(open("CREATING"), { retryable: true, message: `${text} (status CREATING): wait until it is ACTIVE` });
    const going = `${text} (status DELETING): it is being deleted; take it out of the configuration`;
    await assert.rejects(open("DELETING"), { retryable: false, message: going });
    const failed = `${text} (status FAILED): EKS could not create it; see why in the console of EKS`;
    await assert.rejects(open("FAILED"), { retryable: false, message: failed });
  });

  test("an EKS endpoint that cannot be reached is a retryable error", async (t) => {
    const eksClient = new EKSClient({ region, endpoint: "http://127.0.0.1:1", credentials, maxAttempts: 1 });
    t.after(() => eksClient.destroy());
    await assert.rejects(openEks("shop", { client: eksClient, clock: aClock() }), { code: "cluster", retryable: true });
  });

  test("a server whose certificate another authority signed is refused, however good the token", async (t) => {
    const eksClient = client();
    t.after(() => eksClient.destroy());
    eks.put({ name: "impostor", endpoint: controlPlane.server, ca: (await sharedControlPlane()).ca });
    const find = async () => ({ ...shop, clusterName: "impostor" });
    const clusters = createClusters({
      find,
      project: async () => undefined,
      eksClient: () => eksClient,
      clock: aClock(),
      log: silentLog,
    });
    t.after(() => clusters.close());
    const reader = await clusters.reader("production");
    await assert.rejects(reader.get({ group: "", version: "v1", kind: "Namespace", namespace: "", name: "default" }), {
      code: "cluster",
      retryable: false,
      message: /self-signed certificate|unable to verify|unable to get local issuer.*; check the cluster's certificate authority/,
    });
  });

  test("missing AWS credentials are a permanent error", async (t) => {
    const eksClient = new EKSClient({ region, endpoint: eks.endpoint, credentials: none, maxAttempts: 1 });
    t.after(() => eksClient.destroy());
    await assert.rejects(openEks("shop", { client: eksClient, clock: aClock() }), {
      code: "cluster",
      retryable: false,
      message: /no AWS credentials/,
    });
  });
});
