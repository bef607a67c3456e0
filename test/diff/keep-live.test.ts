import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { keepLive } from "../../lib/diff/keep-live.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { ownedFields } from "../../lib/ownership/field-set.ts";
import type { IgnoredFields } from "../../lib/paths/ignored-fields.ts";
import { parseJq } from "../../lib/paths/jq-parse.ts";

const label = { "driftless.dev/application": "shop" };

function aDeployment(spec: JsonObject, metadata: JsonObject = {}): Manifest {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    spec,
    metadata: {
      name: "web",
      namespace: "shop",
      labels: label,
      ...metadata,
    },
  };
}

interface Case {
  readonly manifest: Manifest;
  readonly live: Manifest;
  readonly pointers?: readonly string[];
  readonly jq?: readonly string[];
  readonly ours?: JsonObject;
  readonly others?: readonly JsonObject[];
  /** What managers that are ignored own. */
  readonly ignored?: JsonObject;
}

function kept({ manifest, live, pointers = [], jq = [], ours, others = [], ignored }: Case) {
  const fields: IgnoredFields = { pointers, expressions: jq.map(parseJq), paths: [], managers: new Set() };
  const theirs = ignored === undefined ? [] : [ownedFields(ignored)];
  const shares = {
    ours: ours === undefined ? undefined : ownedFields(ours),
    others: [...others.map(ownedFields), ...theirs],
    ignored: theirs,
  };
  return keepLive({ manifest, live, ignored: fields, shares });
}

const containers = (...items: readonly JsonObject[]): JsonObject => ({ containers: items });
const item = (name: string, fields: JsonObject): JsonObject => ({
  [`k:{"name":"${name}"}`]: { ".": {}, "f:name": {}, ...fields },
});

suite("what is applied to a live object of which fields are left to others", () => {
  const replicas = {
    pointers: ["/spec/replicas"],
    manifest: aDeployment({ replicas: 2, paused: false }),
    live: aDeployment({ replicas: 5, paused: false }),
  };

  test("a field that somebody else owns is left out", () => {
    const { manifest, isGuess } = kept({
      ...replicas,
      ours: { "f:spec": { "f:paused": {} } },
      others: [{ "f:spec": { "f:replicas": {} } }],
    });
    assert.deepEqual([manifest, isGuess], [aDeployment({ paused: false }), false]);
  });

  test("a field that others own beside us is left out", () => {
    const both = { "f:spec": { "f:replicas": {} } };
    assert.deepEqual(kept({ ...replicas, ours: both, others: [both] }).manifest, aDeployment({ paused: false }));
  });

  test("a field that we alone own is stated with its live value, which somebody may change meanwhile", () => {
    const { manifest, isGuess } = kept({ ...replicas, ours: { "f:spec": { "f:replicas": {} } } });
    assert.deepEqual([manifest, isGuess], [aDeployment({ replicas: 5, paused: false }), true]);
  });

  test("a field that Git states no more keeps its live value while we alone own it", () => {
    const { manifest } = kept({
      ...replicas,
      manifest: aDeployment({ paused: false }),
      ours: { "f:spec": { "f:replicas": {} } },
    });
    assert.deepEqual(manifest, aDeployment({ replicas: 5, paused: false }));
  });

  test("a field that the live object lacks is left out", () => {
    assert.deepEqual(kept({ ...replicas, live: aDeployment({ paused: false }) }).manifest, aDeployment({ paused: false }));
  });

  test("a field of a default that nobody owns is left out", () => {
    assert.deepEqual(kept(replicas).manifest, aDeployment({ paused: false }));
  });

  test("name, namespace and our label stay, whatever is ignored", () => {
    const manifest = aDeployment({}, { labels: { ...label, team: "a" } });
    const ours = { "f:metadata": { "f:labels": { "f:driftless.dev/application": {}, "f:team": {} } } };
    const live = aDeployment({}, { labels: { "driftless.dev/application": "other", team: "b" } });
    assert.deepEqual(kept({ manifest, live, ours, pointers: ["/metadata/labels", "/metadata/name", "/kind"] }).manifest, {
      ...aDeployment({}, { labels: { ...label, team: "b" } }),
    });
  });

  test("items are matched by their keys, and keep them", () => {
    const manifest = aDeployment(containers({ name: "web", image: "web:2" }, { name: "proxy", image: "proxy:2" }));
    const live = aDeployment(
      containers({ name: "injected", image: "x" }, { name: "proxy", image: "proxy:9" }, { name: "web", image: "web:1" }),
    );
    const ours = { "f:spec": { "f:containers": { ...item("web", { "f:image": {} }), ...item("proxy", {}) } } };
    const others = [{ "f:spec": { "f:containers": item("proxy", { "f:image": {} }) } }];
    const jq = ['.spec.containers[] | select(.name == "proxy") | .image'];
    assert.deepEqual(
      kept({ manifest, live, ours, others, jq }).manifest,
      aDeployment(containers({ name: "web", image: "web:2" }, { name: "proxy" })),
    );
  });

  test("an item that is not live yet has what Git states", () => {
    const manifest = aDeployment(containers({ name: "web", image: "web:2" }, { name: "new", image: "new:1" }));
    const live = aDeployment(containers({ name: "web", image: "web:1" }));
    const ours = { "f:spec": { "f:containers": item("web", {}) } };
    const others = [{ "f:spec": { "f:containers": item("web", { "f:image": {} }) } }];
    assert.deepEqual(
      kept({ manifest, live, ours, others, jq: [".spec.containers[].image"] }).manifest,
      aDeployment(containers({ name: "web" }, { name: "new", image: "new:1" })),
    );
  });

  test("an item that is ignored as a whole, and is gone, is not made again", () => {
    const manifest = aDeployment(containers({ name: "web", image: "web:1" }, { name: "proxy", image: "proxy:1" }));
    const live = aDeployment(containers({ name: "web", image: "web:1" }));
    const ours = { "f:spec": { "f:containers": item("web", { "f:image": {} }) } };
    const jq = ['.spec.containers[] | select(.name == "proxy")'];
    assert.deepEqual(kept({ manifest, live, ours, jq }).manifest, aDeployment(containers({ name: "web", image: "web:1" })));
  });

  test("inside of a value with one owner the live value is stated", () => {
    const manifest = aDeployment({ args: ["a", "b"] });
    const live = aDeployment({ args: ["x", "y"] });
    const ours = { "f:spec": { "f:args": {} } };
    assert.deepEqual(kept({ manifest, live, ours, pointers: ["/spec/args/1"] }).manifest, aDeployment({ args: ["a", "y"] }));
  });

  test("a map that is left without members is left out, and one that Git states empty is not", () => {
    const manifest = aDeployment({ template: {} }, { annotations: { note: "1" } });
    const live = aDeployment({ template: {} }, { annotations: { note: "2" } });
    const others = [{ "f:metadata": { "f:annotations": { "f:note": {} } } }];
    assert.deepEqual(
      kept({ manifest, live, others, pointers: ["/metadata/annotations/note"] }).manifest,
      aDeployment({ template: {} }),
    );
  });

  test("what an ignored manager owns is left out, an item's keys aside", () => {
    const manifest = aDeployment(containers({ name: "web", image: "web:2", tag: "x" }));
    const live = aDeployment(containers({ name: "web", image: "web:1", tag: "x" }));
    const ours = { "f:spec": { "f:containers": item("web", { "f:tag": {} }) } };
    const ignored = { "f:spec": { "f:containers": item("web", { "f:image": {} }) } };
    assert.deepEqual(kept({ manifest, live, ours, ignored }).manifest, aDeployment(containers({ name: "web", tag: "x" })));
  });

  test("where nothing is ignored the manifest is applied as it is", () => {
    const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonObject[string]>;
    const spec = fc.dictionary(fc.constantFrom("a", "b", "c"), value);
    fc.assert(
      fc.property(spec, spec, (wanted, found) => {
        const manifest = aDeployment(wanted);
        const ours = { "f:spec": { "f:a": {}, "f:b": {} } };
        assert.deepEqual(kept({ manifest, live: aDeployment(found as JsonObject), ours, pointers: ["/spec/nothing"] }), {
          manifest,
          isGuess: false,
        });
      }),
    );
  });

  test("an ignored field never has Git's value where the live object has another", () => {
    const owner = fc.constantFrom("ours", "others", "both", "nobody");
    fc.assert(
      fc.property(fc.integer(), fc.option(fc.integer(), { nil: undefined }), owner, (wanted, found, who) => {
        const share = { "f:spec": { "f:replicas": {} } };
        const { manifest } = kept({
          manifest: aDeployment({ replicas: wanted, paused: true }),
          live: aDeployment(found === undefined ? { paused: true } : { replicas: found, paused: true }),
          pointers: ["/spec/replicas"],
          ...(who === "ours" || who === "both" ? { ours: share } : {}),
          others: who === "others" || who === "both" ? [share] : [],
        });
        const expected = who === "ours" && found !== undefined ? { replicas: found, paused: true } : { paused: true };
        assert.deepEqual(manifest["spec"], expected);
      }),
    );
  });
});
