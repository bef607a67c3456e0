import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { prepareObjects } from "../../lib/apply/prepare.ts";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { aConfigMap, aCrd, aNamespace, aPod } from "../support/objects.ts";
import { aName, digest, openCluster } from "./open.ts";

async function prepare(t: TestContext, objects: readonly Manifest[], namespace = "shop") {
  const { writer } = await openCluster(t);
  return prepareObjects({ application: "web", namespace, objects, reader: writer, digest });
}

test("an object that names no namespace goes to the application's; one that names another stays there", async (t) => {
  const { desired, failed } = await prepare(t, [aConfigMap("", "a"), aConfigMap("other", "b")]);
  assert.deepEqual(failed, []);
  assert.deepEqual(
    desired.map(({ ref }) => `${ref.kind} ${ref.namespace}/${ref.name}`),
    ["ConfigMap shop/a", "ConfigMap other/b"],
  );
  assert.equal(desired[0]?.manifest.metadata.namespace, "shop");
});

test("a cluster-scoped object loses a namespace that does not belong to it", async (t) => {
  const role = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "r", namespace: "shop" },
    rules: [],
  };
  const { desired } = await prepare(t, [role, aNamespace("n")]);
  assert.deepEqual(
    desired.map(({ ref, manifest }) => [ref.namespace, manifest.metadata.namespace]),
    [
      ["", undefined],
      ["", undefined],
    ],
  );
});

test("every object carries the application's label beside its own, and keeps the rest as it is", async (t) => {
  const object: Manifest = {
    ...aConfigMap("", "a", { k: "v" }),
    metadata: { name: "a", labels: { app: "a" }, annotations: { note: "n" } },
  };
  const { desired } = await prepare(t, [object]);
  assert.deepEqual(desired[0]?.manifest, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "a",
      namespace: "shop",
      labels: { app: "a", "driftless.dev/application": "web" },
      annotations: { note: "n" },
    },
    data: { k: "v" },
  });
});

test("what only the server sets is left out, as an export of a live object has it", async (t) => {
  const { writer } = await openCluster(t);
  const live = await writer.apply(aConfigMap("default", aName("export"), { k: "v" }), { force: true });
  t.after(() => writer.delete(refOf(live), { uid: live.metadata.uid ?? "" }));
  const exported = { ...live, metadata: { ...live.metadata, generation: 1, selfLink: "/x", labels: { app: "a" } } };
  const { desired } = await prepare(t, [exported]);
  assert.deepEqual(desired[0]?.manifest.metadata, {
    name: live.metadata.name,
    namespace: "default",
    labels: { app: "a", "driftless.dev/application": "web" },
  });
});

test("the texts of a Secret's stringData are sent as data, and win over data of the same key", async (t) => {
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "login" },
    data: { user: "YQ==", password: "b2xk" },
    stringData: { password: "n\u00ebw", "": "" },
  };
  const { desired } = await prepare(t, [secret]);
  assert.deepEqual(desired[0]?.manifest["data"], { user: "YQ==", password: "bsOrdw==", "": "" });
  assert.equal(desired[0]?.manifest["stringData"], undefined);
});

test("the scope of a kind that the application brings itself is read from its definition", async (t) => {
  const group = `${aName("scope")}.example`;
  const { desired, failed } = await prepare(t, [
    aCrd({ group, kind: "Room", scope: "Cluster" }),
    aCrd({ group, kind: "Chair", scope: "Namespaced" }),
    { apiVersion: `${group}/v1`, kind: "Room", metadata: { name: "r", namespace: "shop" } },
    { apiVersion: `${group}/v1`, kind: "Chair", metadata: { name: "c" } },
  ]);
  assert.deepEqual(failed, []);
  assert.deepEqual(
    desired.slice(2).map(({ ref }) => [ref.kind, ref.namespace]),
    [
      ["Room", ""],
      ["Chair", "shop"],
    ],
  );
});

test("a kind that nobody serves fails by name and says what to do; the others are prepared", async (t) => {
  const { desired, failed } = await prepare(t, [
    { apiVersion: "none.example/v1", kind: "Nothing", metadata: { name: "n" } },
    { apiVersion: "apps/v9", kind: "Deployment", metadata: { name: "d" } },
    aConfigMap("", "a"),
  ]);
  assert.deepEqual(
    desired.map(({ ref }) => ref.name),
    ["a"],
  );
  assert.deepEqual(
    failed.map(({ error }) => error),
    [
      "the cluster serves no kind Nothing in none.example/v1; install its CustomResourceDefinition or correct the apiVersion",
      "the cluster serves no kind Deployment in apps/v9; install its CustomResourceDefinition or correct the apiVersion",
    ],
  );
  assert.deepEqual(
    failed.map(({ retryable }) => retryable),
    [true, true],
    "another application may bring the definition",
  );
});

test("an object for which nobody names a namespace fails, and says where to name it", async (t) => {
  const { desired, failed } = await prepare(t, [aPod("", "p"), aNamespace("n")], "");
  assert.deepEqual(
    desired.map(({ ref }) => ref.kind),
    ["Namespace"],
  );
  const ref = { group: "", version: "v1", kind: "Pod", namespace: "", name: "p" };
  const error = "Pod p names no namespace; give it one, or set `namespace` of application web";
  assert.deepEqual(failed, [{ manifest: aPod("", "p"), ref, error, retryable: false }]);
});

test("an object that is there twice is kept once, also when only the namespace's default makes it the same", async (t) => {
  const { desired, failed } = await prepare(t, [aConfigMap("", "a", { k: "1" }), aConfigMap("shop", "a", { k: "2" })]);
  assert.deepEqual(
    desired.map(({ manifest }) => manifest["data"]),
    [{ k: "1" }],
  );
  assert.deepEqual(
    failed.map(({ error }) => error),
    ["ConfigMap shop/a is there twice; keep one"],
  );
});

test("one name in two kinds or two namespaces is two objects", async (t) => {
  const secret: Manifest = { apiVersion: "v1", kind: "Secret", metadata: { name: "a" } };
  const { desired, failed } = await prepare(t, [aConfigMap("", "a"), aConfigMap("other", "a"), secret]);
  assert.deepEqual([desired.length, failed], [3, []]);
});

test("the digest tells equal objects by any order of keys, and different ones apart", async (t) => {
  const one: Manifest = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: "1", y: "2" } };
  const same: Manifest = { data: { y: "2", x: "1" }, metadata: { name: "a" }, kind: "ConfigMap", apiVersion: "v1" };
  const other: Manifest = { ...one, data: { x: "1", y: "3" } };
  const digests = await Promise.all([one, same, other].map(async (object) => (await prepare(t, [object])).desired[0]?.digest));
  assert.equal(digests[0], digests[1]);
  assert.notEqual(digests[0], digests[2]);
});
