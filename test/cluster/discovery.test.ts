import assert from "node:assert/strict";
import { test } from "node:test";
import { createDiscoveryCache, type Discovery, parseDiscovery } from "../../lib/cluster/discovery.ts";

const resource = (name: string, kind: string, verbs: readonly string[] = ["get", "list", "patch"]) => ({
  resource: name,
  responseKind: { group: "", version: "", kind },
  scope: "Namespaced",
  verbs,
});
const version = (name: string, ...resources: object[]) => ({ version: name, resources });
const group = (name: string, ...versions: object[]) => ({ metadata: { name }, versions });
const document = (...items: object[]) => JSON.parse(JSON.stringify({ kind: "APIGroupDiscoveryList", items }));

test("a kind is found under exactly its version, or under the preferred one", () => {
  const hpa = resource("horizontalpodautoscalers", "HorizontalPodAutoscaler");
  const discovery = parseDiscovery([document(group("autoscaling", version("v2", hpa), version("v1", hpa)))]);
  const gone = { group: "autoscaling", version: "v2beta2", kind: "HorizontalPodAutoscaler" };
  assert.equal(discovery.exact(gone), undefined);
  assert.equal(discovery.anyVersion(gone)?.version, "v2");
  assert.equal(discovery.anyVersion({ ...gone, version: "v1" })?.version, "v1");
});

test("of two resources that answer with one kind, the one with more verbs is the kind's own", () => {
  const discovery = parseDiscovery([
    document(group("", version("v1", resource("bindings", "Pod", ["create"]), resource("pods", "Pod")))),
  ]);
  assert.equal(discovery.exact({ group: "", version: "v1", kind: "Pod" })?.resource, "pods");
});

test("a group whose own server is down is told apart from one that has no such kind", () => {
  const discovery = parseDiscovery([
    document(group("metrics.k8s.io", { version: "v1", freshness: "Stale", resources: [] }), group("apps")),
  ]);
  assert.deepEqual(
    ["metrics.k8s.io", "apps", "none"].map((name) => discovery.unreachable(name)),
    [true, false, false],
  );
});

test("a type is found by its plural name, in the version that is asked for or the preferred one; subresources are no types", () => {
  const deployments = { resource: "deployments", scope: "Namespaced", responseKind: { kind: "Deployment" }, verbs: ["get"] };
  const discovery = parseDiscovery([
    {
      kind: "APIGroupDiscoveryList",
      items: [
        {
          metadata: { name: "apps" },
          versions: ["v1", "v1beta2"].map((version) => ({ version, resources: [deployments] })),
        },
      ],
    },
  ]);
  const versionOf = (version: string, resource = "deployments") => discovery.named({ group: "apps", version, resource })?.version;
  assert.deepEqual(
    [versionOf("v1"), versionOf("v1beta2"), versionOf("v0"), versionOf("v1", "deployments/scale")],
    ["v1", "v1beta2", "v1", undefined],
  );
});

test("a server without aggregated discovery is refused with the version it takes", () => {
  assert.throws(() => parseDiscovery([{ kind: "APIVersions" }]), { code: "cluster", message: /1\.27/ });
});

test("those who ask at the same time share one discovery, and a failed one is not kept", async () => {
  const cache = createDiscoveryCache();
  const none = parseDiscovery([]);
  let reads = 0;
  const read = async (): Promise<Discovery> => {
    reads++;
    if (reads === 1) throw new Error("down");
    return none;
  };
  await assert.rejects(cache.load({ fresh: false, read }), { message: "down" });
  await Promise.all([1, 2, 3].map(() => cache.load({ fresh: true, read })));
  assert.equal(reads, 2);
  assert.deepEqual(await cache.load({ fresh: false, read }), { discovery: none, cached: true });
  assert.equal((await cache.load({ fresh: true, read })).cached, false);
  assert.equal(reads, 3);
});

test("one caller's abort does not stop the discovery that others wait for", async () => {
  const cache = createDiscoveryCache();
  const { promise, resolve } = Promise.withResolvers<Discovery>();
  const abort = new AbortController();
  const first = cache.load({ fresh: false, read: () => promise, signal: abort.signal });
  const second = cache.load({ fresh: false, read: () => Promise.reject(new Error("asked twice")) });
  abort.abort(new Error("deadline"));
  await assert.rejects(first, { code: "cluster", retryable: true });
  resolve(parseDiscovery([]));
  assert.equal((await second).cached, false);
});
