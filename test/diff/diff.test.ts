import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { additions, diffOwned } from "../../lib/diff/diff.ts";
import type { FieldSet } from "../../lib/model/field-set.ts";
import type { JsonObject, JsonValue } from "../../lib/model/json.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { ownedFields } from "../../lib/ownership/field-set.ts";

function aDeployment(spec: JsonObject, metadata: JsonObject = {}): Manifest {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", ...metadata }, spec };
}

function podSpec(...containers: readonly JsonValue[]): JsonObject {
  return { template: { spec: { containers } } };
}

function containersFields(names: readonly string[], fields: JsonObject): FieldSet {
  const items = Object.fromEntries(names.map((name) => [`k:{"name":"${name}"}`, { ".": {}, "f:name": {}, ...fields }]));
  return ownedFields({ "f:spec": { "f:template": { "f:spec": { "f:containers": items } } } });
}

const port = (protocol: string, name: string): JsonObject => ({ name, port: 53, protocol });

describe("diffOwned", () => {
  it("finds a scaled Deployment, and nothing that others own", () => {
    const owned = ownedFields({ "f:spec": { "f:replicas": {} } });
    const desired = aDeployment({ replicas: 2, minReadySeconds: 0 });
    const live = aDeployment({ replicas: 5, minReadySeconds: 9 });
    assert.deepEqual(diffOwned({ desired, live, owned }), [{ path: "spec.replicas", desired: 2, live: 5 }]);
  });

  it("matches list items by their keys, wherever they stand in the list", () => {
    const owned = containersFields(["web", "log"], { "f:image": {} });
    const desired = aDeployment(podSpec({ name: "web", image: "web:1" }, { name: "log", image: "log:1" }));
    const live = aDeployment(
      podSpec({ name: "injected", image: "x" }, { name: "log", image: "log:1" }, { name: "web", image: "web:2" }),
    );
    assert.deepEqual(diffOwned({ desired, live, owned }), [
      { path: 'spec.template.spec.containers[name="web"].image', desired: "web:1", live: "web:2" },
    ]);
  });

  it("tells ports apart by all of their keys", () => {
    const owned = ownedFields({
      "f:spec": {
        "f:ports": {
          'k:{"port":53,"protocol":"TCP"}': { ".": {}, "f:name": {}, "f:port": {} },
          'k:{"port":53,"protocol":"UDP"}': { ".": {}, "f:name": {}, "f:port": {} },
        },
      },
    });
    const desired = aDeployment({ ports: [port("TCP", "dns-tcp"), port("UDP", "dns")] });
    const live = aDeployment({ ports: [port("UDP", "dns2"), port("TCP", "dns-tcp")] });
    assert.deepEqual(diffOwned({ desired, live, owned }), [
      { path: 'spec.ports[port=53,protocol="UDP"].name', desired: "dns", live: "dns2" },
    ]);
  });

  it("shows an item that is gone once, with the fields of it that are ours", () => {
    const owned = containersFields(["web", "log"], { "f:image": {} });
    const desired = aDeployment(
      podSpec({ name: "web", image: "web:1" }, { name: "log", image: "log:1", imagePullPolicy: "Always" }),
    );
    const live = aDeployment(podSpec({ name: "web", image: "web:1" }));
    assert.deepEqual(diffOwned({ desired, live, owned }), [
      { path: 'spec.template.spec.containers[name="log"]', desired: { image: "log:1", name: "log" } },
    ]);
  });

  it("finds a removed label, also when the whole map went with it", () => {
    const owned = ownedFields({ "f:metadata": { "f:labels": { "f:app.kubernetes.io/name": {} } } });
    const desired = aDeployment({}, { labels: { "app.kubernetes.io/name": "web" } });
    assert.deepEqual(diffOwned({ desired, live: aDeployment({}), owned }), [
      { path: 'metadata.labels["app.kubernetes.io/name"]', desired: "web" },
    ]);
  });

  it("compares set members by value and atomic lists as a whole", () => {
    const owned = ownedFields({
      "f:metadata": { "f:finalizers": { 'v:"a/hold"': {}, 'v:"b/hold"': {} } },
      "f:spec": { "f:args": {} },
    });
    const desired = aDeployment({ args: ["-a", "-b"] }, { finalizers: ["a/hold", "b/hold"] });
    const live = aDeployment({ args: ["-b", "-a"] }, { finalizers: ["c/hold", "b/hold"] });
    assert.deepEqual(diffOwned({ desired, live, owned }), [
      { path: 'metadata.finalizers[="a/hold"]', desired: "a/hold" },
      { path: "spec.args", desired: ["-a", "-b"], live: ["-b", "-a"] },
    ]);
  });

  it("tells 64-bit integers apart that a double cannot", () => {
    const owned = ownedFields({ "f:spec": { "f:id": {} } });
    const [desired, live] = [aDeployment({ id: 9007199254740993n }), aDeployment({ id: 9007199254740992n })];
    assert.deepEqual(diffOwned({ desired, live, owned }), [
      { path: "spec.id", desired: 9007199254740993n, live: 9007199254740992n },
    ]);
  });

  it("leaves out what is ours but write-only, as stringData of a Secret is", () => {
    const owned = ownedFields({ "f:stringData": { "f:password": {} } });
    assert.deepEqual(diffOwned({ desired: aDeployment({}), live: aDeployment({}), owned }), []);
  });

  it("shows nothing where live is what was desired, whatever the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (spec) => {
        const fields = Object.fromEntries(Object.keys(spec).map((name) => [`f:${name}`, {}]));
        const reversed = Object.fromEntries(Object.entries(spec).toReversed());
        const owned = ownedFields({ "f:spec": fields });
        assert.deepEqual(
          diffOwned({ desired: aDeployment(spec as JsonObject), live: aDeployment(reversed as JsonObject), owned }),
          [],
        );
      }),
    );
  });

  it("shows every field whose value was replaced, by its own path", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer(), { minKeys: 1 }), fc.nat(), (spec, pick) => {
        const names = Object.keys(spec);
        const changed = names[pick % names.length]!;
        const owned = ownedFields({ "f:spec": Object.fromEntries(names.map((name) => [`f:${name}`, {}])) });
        const found = diffOwned({ desired: aDeployment(spec), live: aDeployment({ ...spec, [changed]: "other" }), owned });
        assert.deepEqual(
          found.map(({ path, live }) => [path, live]),
          [[`spec.${changed}`, "other"]],
        );
      }),
    );
  });
});

describe("additions", () => {
  it("names the fields that others set and we do not, with their values", () => {
    const owned = ownedFields({ "f:metadata": { "f:labels": { "f:app": {} } }, "f:spec": { "f:replicas": {} } });
    const foreign = [
      ownedFields({ "f:metadata": { "f:labels": { "f:team": {} } } }),
      ownedFields({ "f:spec": { "f:replicas": {}, "f:paused": {} } }),
    ];
    const live = aDeployment({ replicas: 2, paused: true }, { labels: { app: "web", team: "shop" } });
    assert.deepEqual(additions({ live, owned, foreign }), [
      { path: "metadata.labels.team", live: "shop" },
      { path: "spec.paused", live: true },
    ]);
  });

  it("shows an added container once, and an added field of our container as that field", () => {
    const owned = containersFields(["web"], { "f:image": {} });
    const foreign = [containersFields(["web", "proxy"], { "f:image": {}, "f:tty": {} })];
    const live = aDeployment(
      podSpec({ name: "web", image: "web:1", tty: true }, { name: "proxy", image: "proxy:1", tty: false, stdin: true }),
    );
    assert.deepEqual(additions({ live, owned, foreign }), [
      { path: 'spec.template.spec.containers[name="proxy"]', live: { image: "proxy:1", name: "proxy", tty: false } },
      { path: 'spec.template.spec.containers[name="web"].tty', live: true },
    ]);
  });

  it("lists annotations one by one although somebody made the map, and each only once", () => {
    const annotated = ownedFields({ "f:metadata": { "f:annotations": { ".": {}, "f:a": {}, "f:b": {} } } });
    const live = aDeployment({}, { annotations: { a: "1" } });
    assert.deepEqual(additions({ live, owned: undefined, foreign: [annotated, annotated] }), [
      { path: "metadata.annotations.a", live: "1" },
    ]);
  });

  it("has no room in what we own as a whole", () => {
    const owned = ownedFields({ "f:spec": { "f:selector": {} } });
    const foreign = [ownedFields({ "f:spec": { "f:selector": { "f:x": {} } } })];
    assert.deepEqual(additions({ live: aDeployment({ selector: { x: 1 } }), owned, foreign }), []);
  });
});
