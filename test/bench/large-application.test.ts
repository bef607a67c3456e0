import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { deploymentNames, largeApplicationFiles, largeApplicationStages } from "../../bench/large-application.ts";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { applyStages } from "../../lib/plan/stages.ts";

const application = { sets: 2, namespace: "one", prefix: "part", mark: "mark-1" };

const objectsOf = (mark: string): readonly Manifest[] =>
  Object.values(largeApplicationFiles({ ...application, mark }, "folder")).flatMap((text) =>
    parseAllDocuments(text).map((document) => document.toJS() as Manifest),
  );

test("a large application is sets of four objects in one namespace, each with the mark", () => {
  const objects = objectsOf("mark-1");
  assert.deepEqual(
    objects.map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace}/${name}`),
    ["part-0000", "part-0001"].flatMap((name) =>
      ["ServiceAccount", "Service", "ConfigMap", "Deployment"].map((kind) => `${kind} one/${name}`),
    ),
  );
  for (const { metadata } of objects) assert.deepEqual(metadata.annotations, { "benchmark/mark": "mark-1" });
  assert.deepEqual(deploymentNames(application), ["part-0000", "part-0001"]);
});

test("a bare client sends the same objects in the stages in which a sync applies them", () => {
  const sent = largeApplicationStages(application).map((stage) => stage.map(({ body }) => JSON.parse(body) as Manifest));
  const ours = applyStages(objectsOf("mark-1").map((object) => ({ ref: refOf(object), object })));
  const byKey = (objects: readonly Manifest[]) => new Map(objects.map((object) => [JSON.stringify(refOf(object)), object]));
  assert.deepEqual(
    sent.map(byKey),
    ours.map((stage) => byKey(stage.map(({ object }) => object))),
  );
});

test("a bare client sends each object to its own path", () => {
  assert.deepEqual(
    largeApplicationStages({ ...application, sets: 1 }).map((stage) => stage.map(({ path }) => path)),
    [
      ["/api/v1/namespaces/one/serviceaccounts/part-0000"],
      ["/api/v1/namespaces/one/services/part-0000", "/api/v1/namespaces/one/configmaps/part-0000"],
      ["/apis/apps/v1/namespaces/one/deployments/part-0000"],
    ],
  );
});
