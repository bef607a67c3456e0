import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { test } from "node:test";
import { createTransport } from "../../lib/cluster/transport.ts";
import { isDriftlessError } from "../../lib/errors.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { startCountingProxy } from "./counting-proxy.ts";
import { aConfigMap, configMapRef, openCluster } from "./open.ts";

test("requests one after the other share one connection", async (t) => {
  const proxy = await startCountingProxy(t, (await sharedControlPlane()).server);
  const cluster = await openCluster(t, { server: proxy.server });
  const namespace = await testNamespace("connections");
  await cluster.resourceType({ group: "", version: "v1", kind: "ConfigMap" });
  const before = proxy.connections();
  for (let i = 0; i < 30; i++) await cluster.apply(aConfigMap(namespace, "web", { i: String(i) }), { force: true });
  assert.equal(proxy.connections(), before);
  assert.ok(before <= 2, "the two requests of discovery may go side by side");
});

test("many requests at once open at most sixteen connections, and ask for discovery once", async (t) => {
  const proxy = await startCountingProxy(t, (await sharedControlPlane()).server);
  const cluster = await openCluster(t, { server: proxy.server });
  await Promise.all(Array.from({ length: 100 }, (_, i) => cluster.get(configMapRef("default", `c${i}`))));
  assert.ok(proxy.connections() <= 16, `${proxy.connections()} connections`);
  assert.equal(cluster.requests, 102);
});

test("connections that were cut while idle are replaced without an error", async (t) => {
  const proxy = await startCountingProxy(t, (await sharedControlPlane()).server);
  const cluster = await openCluster(t, { server: proxy.server });
  await Promise.all(Array.from({ length: 40 }, (_, i) => cluster.get(configMapRef("default", `c${i}`))));
  proxy.resetAll();
  assert.equal(await cluster.get(configMapRef("default", "c1")), undefined);
});

test("a server that is down is a retryable cluster error that names the host", async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  await new Promise((resolve) => taken.close(resolve));
  const transport = createTransport({ connection: { server: `https://127.0.0.1:${port}` }, wait: () => Promise.resolve() });
  t.after(() => transport.close());
  await assert.rejects(transport.request({ method: "GET", path: "/api" }), (error) => {
    assert.ok(isDriftlessError(error, "cluster"));
    assert.deepEqual([error.retryable, error.facts["host"], error.facts["code"]], [true, `127.0.0.1:${port}`, "ECONNREFUSED"]);
    assert.ok(error.message.startsWith(`Cannot reach the API server at 127.0.0.1:${port}: `));
    return true;
  });
});

test("a server whose certificate comes from another authority is refused, and not tried again", async (t) => {
  const { server } = await sharedControlPlane();
  const transport = createTransport({ connection: { server } });
  t.after(() => transport.close());
  await assert.rejects(transport.request({ method: "GET", path: "/api" }), {
    code: "cluster",
    retryable: false,
    message: /check the cluster's certificate authority/,
  });
  assert.equal(transport.requests, 1);
});

test("an identity that the server does not know is a permanent cluster error", async (t) => {
  const { server, ca } = await sharedControlPlane();
  const { Secret } = await import("../../lib/telemetry/secret.ts");
  const { createClusterReader } = await import("../../lib/cluster/kubernetes.ts");
  const transport = createTransport({
    connection: { server, ca, authorize: () => Promise.resolve(new Secret("Bearer nobody")) },
  });
  t.after(() => transport.close());
  await assert.rejects(createClusterReader({ transport }).get(configMapRef("default", "web")), {
    code: "cluster",
    retryable: false,
    message: /does not know this identity/,
  });
});
