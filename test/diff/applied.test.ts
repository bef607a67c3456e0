import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diffApplied, diffWithdrawn } from "../../lib/diff/applied.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { ownedFields } from "../../lib/ownership/field-set.ts";

const anObject = (fields: JsonObject): Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  ...fields,
});

describe("diffApplied", () => {
  it("tells what our fields become, and nothing of others' fields, defaults and status", () => {
    const live = anObject({ spec: { replicas: 3, paused: true }, status: { replicas: 3 } });
    const after = anObject({ spec: { replicas: 1, paused: false, minReadySeconds: 0 }, status: { replicas: 1 } });
    const owned = ownedFields({ "f:spec": { "f:replicas": {} } });
    assert.deepEqual(diffApplied({ live, after, owned, ownedBefore: owned }), [{ path: "spec.replicas", desired: 1, live: 3 }]);
  });

  it("tells what goes because we state it no more, a list item whole, and keeps what another manager still owns", () => {
    const live = anObject({
      data: { ours: "1", shared: "2" },
      spec: {
        containers: [
          { name: "web", image: "a" },
          { name: "side", image: "b" },
        ],
      },
    });
    const after = anObject({ data: { shared: "2" }, spec: { containers: [{ name: "web", image: "a" }] } });
    const item = { ".": {}, "f:name": {}, "f:image": {} };
    const web = { 'k:{"name":"web"}': item };
    const before = {
      "f:data": { "f:ours": {}, "f:shared": {} },
      "f:spec": { "f:containers": { ...web, 'k:{"name":"side"}': item } },
    };
    assert.deepEqual(
      diffApplied({ live, after, owned: ownedFields({ "f:spec": { "f:containers": web } }), ownedBefore: ownedFields(before) }),
      [
        { path: "data.ours", live: "1" },
        { path: 'spec.containers[name="side"]', live: { name: "side", image: "b" } },
      ],
    );
  });

  it("tells what a field falls back to that we state no more", () => {
    const [live, after] = [anObject({ spec: { replicas: 3 } }), anObject({ spec: { replicas: 1 } })];
    const ownedBefore = ownedFields({ "f:spec": { "f:replicas": {} } });
    assert.deepEqual(diffApplied({ live, after, owned: ownedFields({}), ownedBefore }), [
      { path: "spec.replicas", desired: 1, live: 3 },
    ]);
  });

  it("of an object that was never ours tells only what we set", () => {
    const [live, after] = [anObject({ data: { a: "1", theirs: "x" } }), anObject({ data: { a: "2", b: "3", theirs: "x" } })];
    const owned = ownedFields({ "f:data": { "f:a": {}, "f:b": {} } });
    assert.deepEqual(diffApplied({ live, after, owned, ownedBefore: undefined }), [
      { path: "data.a", desired: "2", live: "1" },
      { path: "data.b", desired: "3" },
    ]);
  });
});

describe("diffWithdrawn", () => {
  const live = anObject({
    data: { own: "1", shared: "2", byDefault: "3" },
    spec: { containers: [{ name: "side", image: "b", tty: false }] },
    status: { ready: true },
  });
  const share = {
    "f:data": { ".": {}, "f:own": {}, "f:shared": {}, "f:byDefault": {} },
    "f:spec": { "f:containers": { 'k:{"name":"side"}': { ".": {}, "f:name": {}, "f:image": {}, "f:tty": {} } } },
    "f:status": { "f:ready": {} },
  };
  const stated = {
    data: { own: "1", shared: "2" },
    spec: { containers: [{ name: "side", image: "b" }] },
    status: { ready: true },
  };

  it("tells what was stated by nobody else, a list item whole, and neither defaults nor status", () => {
    const kept = new Set(["data.shared"]);
    assert.deepEqual(diffWithdrawn({ fields: ownedFields(share), kept, live, stated }), [
      { path: "data.own", live: "1" },
      { path: 'spec.containers[name="side"]', live: { name: "side", image: "b", tty: false } },
    ]);
  });

  it("keeps a list item of which others own a part, and tells the rest of it", () => {
    const kept = new Set(["data.own", "data.shared", 'spec.containers[name="side"].image']);
    assert.deepEqual(diffWithdrawn({ fields: ownedFields(share), kept, live, stated }), [
      { path: 'spec.containers[name="side"].name', live: "side" },
    ]);
  });
});
