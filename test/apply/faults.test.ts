import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Applied } from "../../lib/apply/apply-objects.ts";
import { waitEstablished } from "../../lib/apply/establish.ts";
import type { Answer } from "../../lib/cluster/classify.ts";
import type { ClusterWriter } from "../../lib/cluster/cluster.ts";
import type { HttpRequest } from "../../lib/cluster/exchange.ts";
import { createClusterWriter } from "../../lib/cluster/kubernetes.ts";
import { createTransport } from "../../lib/cluster/transport.ts";
import { diffOwned } from "../../lib/diff/diff.ts";
import { maskSecrets } from "../../lib/diff/mask.ts";
import { DriftlessError, isDriftlessError } from "../../lib/errors.ts";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { ourFields } from "../../lib/ownership/fingerprint.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startFaultProxy } from "../cluster/fault-proxy.ts";
import { openCluster as openWith } from "../cluster/open.ts";
import { until } from "../control-plane/until.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { aConfigMap, aCrd, aDeployment, aNamespace } from "../support/objects.ts";
import { aName, applied, errorOf, openCluster, prepared, told } from "./open.ts";

const many = (namespace: string, count: number): readonly Manifest[] => [
  ...Array.from({ length: count - 10 }, (_, index) => aConfigMap(namespace, `c${index}`)),
  ...Array.from({ length: 10 }, (_, index) => aDeployment(namespace, `d${index}`, { replicas: 0 })),
];

/** Answers in the server's stead to the first calls that match. */
function faultyFor(times: number, matches: (request: HttpRequest) => boolean, answer: Answer) {
  let left = times;
  return (request: HttpRequest): Answer | undefined => (matches(request) && left-- > 0 ? answer : undefined);
}
const isApply = ({ method }: HttpRequest) => method === "PATCH";
const status = (code: number, body: object): Answer => ({
  status: code,
  contentType: "application/json",
  body: JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", ...body, code }),
});

test("F3 an object that changes while it is applied is tried again, and fails for now when it never rests", async (t) => {
  const namespace = await testNamespace("faults");
  const text = "Operation cannot be fulfilled on configmaps: the object has been modified; please apply your changes again";
  const modified = status(409, { reason: "Conflict", message: text });
  const writer = await openWith(t, { fault: faultyFor(2, isApply, modified) });
  const request = { application: aName("faults"), objects: [aConfigMap(namespace, "a")] };
  assert.deepEqual(told(await applied(writer, request)), ["created ConfigMap a"]);

  const restless = await openWith(t, { fault: faultyFor(Number.POSITIVE_INFINITY, isApply, modified) });
  const before = restless.requests;
  const [result] = await applied(restless, request);
  assert.match(errorOf(result), /the object has been modified/);
  assert.deepEqual([result?.retryable, restless.requests - before], [true, 3], "two for discovery, and a LIST");
});

test("F4 a namespace that is being deleted is waited for, and made again in the same sync; a missing right is not", async (t) => {
  const { writer, call } = await openCluster(t);
  const namespace = aName("ending");
  const request = { application: namespace, objects: [aNamespace(namespace), aConfigMap(namespace, "a")] };
  await writer.apply(aNamespace(namespace), { force: true });
  const held = { ...aConfigMap(namespace, "held"), metadata: { name: "held", finalizers: ["shop.example/hold"] } };
  await call("POST", `/api/v1/namespaces/${namespace}/configmaps`, { body: held });
  await call("DELETE", `/api/v1/namespaces/${namespace}`);

  const [refused] = await applied(writer, { ...request, objects: [aConfigMap(namespace, "a")] });
  assert.match(errorOf(refused), /because it is being terminated/);
  assert.equal(refused?.retryable, true);

  const release = { contentType: "application/merge-patch+json", body: { metadata: { finalizers: null } } };
  await call("PATCH", `/api/v1/namespaces/${namespace}/configmaps/held`, release);
  const all = await until(
    async () => {
      const results = await applied(writer, request);
      return results.every(({ change }) => change.action !== "failed") ? results : undefined;
    },
    { what: "the namespace to be made again" },
  );
  assert.deepEqual(told(all).slice(-1), ["created ConfigMap a"]);
  await writer.delete(refOf(aNamespace(namespace)), { uid: all[0]?.entry?.uid ?? "" });

  const limited = await openWith(t, { user: "limited" });
  await assert.rejects(limited.apply(aConfigMap("default", "a"), { force: false }), { code: "apply", retryable: false });
});

test("F5 a definition that is established late, and its object, are applied in one run", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("late");
  const group = `${aName("late")}.example`;
  // Two definitions of one kind: the second is established once the first is gone.
  const early = aCrd({ group, kind: "Chair", scope: "Namespaced" });
  const spec = early["spec"] as { readonly names: object };
  const names = { ...spec.names, plural: "seats", singular: "seat" };
  const late: Manifest = { ...early, metadata: { name: `seats.${group}` }, spec: { ...spec, names } };
  const first = await writer.apply(early, { force: true });
  await until(() => writer.resourceType({ group, version: "v1", kind: "Chair" }, { fresh: true }), { what: "the first" });

  const application = aName("late");
  const [definition] = await applied(writer, { application, objects: [late] });
  t.after(() => writer.delete(refOf(late), { uid: definition?.entry?.uid ?? "" }));
  const objects = await prepared(writer, { application, objects: [late] });
  const waiting = waitEstablished({ reader: writer, objects, timeoutSeconds: 60 });
  const conditions = async () => JSON.stringify((await writer.get(refOf(late)))?.["status"] ?? {});
  await until(async () => (await conditions()).includes("already in use"), { what: "the second to wait" });
  await writer.delete(refOf(early), { uid: first.metadata.uid ?? "" });
  assert.deepEqual(await waiting, []);
  const chair: Manifest = { apiVersion: `${group}/v1`, kind: "Chair", metadata: { name: "c", namespace } };
  assert.deepEqual(told(await applied(writer, { application, objects: [chair] })), ["created Chair c"]);
});

test("F5 a kind that an API server does not serve yet is tried again, longer than anything else", async (t) => {
  const namespace = await testNamespace("late");
  const page: Answer = { status: 404, contentType: "text/plain; charset=utf-8", body: "404 page not found\n" };
  const writer = await openWith(t, { fault: faultyFor(6, isApply, page) });
  const objects = [aConfigMap(namespace, "a")];
  assert.deepEqual(told(await applied(writer, { application: aName("late"), objects })), ["created ConfigMap a"]);
});

/** A writer through a proxy that lets calls fail, without the waits between tries. */
async function throughFaults(t: TestContext, rate: number) {
  const { server, ca, tokens } = await sharedControlPlane();
  const proxy = await startFaultProxy(t, { target: { server, ca }, rate, seed: 1 });
  const authorization = new Secret(`Bearer ${tokens.admin}`);
  const transport = createTransport({
    connection: { server: proxy.server, authorize: () => Promise.resolve(authorization) },
    timeoutMs: 1000,
    wait: () => Promise.resolve(),
  });
  t.after(() => transport.close());
  return { proxy, writer: createClusterWriter({ transport }) };
}

for (const percent of [5, 10, 30]) {
  test(`F8 with ${percent} % of calls failing in nine ways, 60 objects are applied within three runs and twice the calls`, async (t) => {
    const namespace = await testNamespace("storm");
    const objects = many(namespace, 60);
    const { proxy, writer } = await throughFaults(t, percent / 100);
    const application = aName("storm");
    let results: readonly Applied[] = [];
    let runs = 0;
    while (runs < 3 && (results.length === 0 || results.some(({ retryable }) => retryable))) {
      runs++;
      try {
        results = await applied(writer, { application, objects });
      } catch (error) {
        if (!isDriftlessError(error, "cluster") || !error.retryable) throw error;
      }
    }
    assert.deepEqual(results.filter(({ entry }) => entry === undefined).map(errorOf), []);
    assert.equal(results.length, 60);
    // Discovery is two calls, the metadata of two kinds two more.
    const ideal = 60 + 2 + 2;
    assert.ok(proxy.injected() > 0);
    assert.ok(proxy.calls() <= 2 * ideal, `${proxy.calls()} calls, ${proxy.injected()} failed, ${runs} runs`);
  });
}

/** A writer whose token has expired at the nth calls; the server itself says so. */
async function withToken(t: TestContext, hasExpired: (call: number, fresh: boolean) => boolean) {
  const { server, ca, tokens } = await sharedControlPlane();
  let calls = 0;
  const fresh: number[] = [];
  const authorize = (options: { readonly fresh: boolean }) => {
    if (options.fresh) fresh.push(calls);
    else calls++;
    return Promise.resolve(new Secret(`Bearer ${hasExpired(calls, options.fresh) ? "expired" : tokens.admin}`));
  };
  const transport = createTransport({ connection: { server, ca, authorize } });
  t.after(() => transport.close());
  return { writer: createClusterWriter({ transport }), fresh };
}

for (const at of [1, 30]) {
  test(`F9 a token that expires at call ${at} is replaced once, and the run goes on`, async (t) => {
    const namespace = await testNamespace("token");
    const { writer, fresh } = await withToken(t, (call, isFresh) => call === at && !isFresh);
    const results = await applied(writer, { application: aName("token"), objects: many(namespace, 40) });
    assert.deepEqual(results.filter(({ change }) => change.action !== "created").map(errorOf), []);
    assert.equal(fresh.length, 1);
  });
}

test("F9 an identity that is refused always ends the run at once, with what to check", async (t) => {
  const namespace = await testNamespace("token");
  const { writer, fresh } = await withToken(t, () => true);
  const request = { application: aName("token"), objects: many(namespace, 40) };
  await assert.rejects(applied(writer, request), (error: unknown) => {
    assert.ok(error instanceof DriftlessError);
    assert.deepEqual([error.code, error.retryable, error.facts["refusal"]], ["cluster", false, "unauthorized"]);
    assert.match(error.message, /does not know this identity .*: check the access entry or the kubeconfig user/);
    return true;
  });
  assert.ok(fresh.length <= 4, "once for each call of discovery");
});

test("F13 of 60 objects one that is wrong fails by name, and 59 are applied", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("sixty");
  const bad: Manifest = { ...aConfigMap(namespace, "bad"), data: { "not a key!": "1" } };
  const results = await applied(writer, { application: aName("sixty"), objects: [bad, ...many(namespace, 59)] });
  assert.equal(results.filter(({ change }) => change.action === "created").length, 59);
  const failed = results.filter(({ change }) => change.action === "failed");
  assert.match(failed.map(errorOf).join("\n"), /^[^\n]*ConfigMap .*\/bad[^\n]*$/);
});

test("F14 a dry run of an empty Secret answers with the live values, and the difference shows no byte of them", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("leak");
  const secret = (data: Readonly<Record<string, string>>): Manifest => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "login", namespace },
    data,
  });
  const value = Buffer.from("canary").toString("base64");
  const live = await writer.apply(secret({ password: value, user: value }), { force: true });
  const desired = await writer.dryRunApply(secret({ password: "eA==" }), { force: true });
  const owned = ourFields(live.metadata);
  const rows = maskSecrets(refOf(live), owned === undefined ? [] : diffOwned({ desired, live, owned }));
  assert.ok(rows.length > 0);
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(`canary|${value}|eA==`));
});

test("an API server that goes away in the middle ends the run with an error that may pass", async (t) => {
  const namespace = await testNamespace("away");
  const unavailable: Answer = { status: 503, contentType: "text/plain", body: "no" };
  let calls = 0;
  const writer: ClusterWriter = await openWith(t, {
    fault: (request) => (isApply(request) && ++calls > 20 ? unavailable : undefined),
  });
  const request = { application: aName("away"), objects: many(namespace, 60) };
  await assert.rejects(applied(writer, request), { code: "cluster", retryable: true });
  assert.ok(calls <= 40, `${calls} calls`);
});
