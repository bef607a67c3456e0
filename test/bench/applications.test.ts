import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { applicationFiles, applicationNames, configurationText, deploymentFile } from "../../bench/applications.ts";
import { parseConfiguration } from "../../lib/config/configuration.ts";
import type { Manifest } from "../../lib/model/resource.ts";

const objectsOf = (files: Readonly<Record<string, string>>): readonly Manifest[] =>
  Object.values(files).map((text) => parse(text) as Manifest);

test("an application of the benchmark is four objects in a namespace of its own name", () => {
  const objects = objectsOf(applicationFiles({ name: "app-007", mark: "mark-1" }));
  assert.deepEqual(objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).sort(), [
    "apps/v1 Deployment",
    "networking.k8s.io/v1 Ingress",
    "v1 Service",
    "v1 ServiceAccount",
  ]);
  for (const { metadata } of objects) assert.deepEqual([metadata.name, metadata.namespace], ["app-007", "app-007"]);
});

test("its Service has two ports, its Deployment no replicas and the mark in one variable", () => {
  const objects = objectsOf(applicationFiles({ name: "app-000", mark: "mark-1" }));
  const specOf = (kind: string) => objects.find((object) => object.kind === kind)?.["spec"] as unknown;
  const { ports } = specOf("Service") as { ports: readonly unknown[] };
  assert.equal(ports.length, 2);
  const { replicas, template } = specOf("Deployment") as {
    replicas: number;
    template: { spec: { containers: readonly { env: unknown }[] } };
  };
  assert.equal(replicas, 0);
  assert.deepEqual(
    template.spec.containers.map(({ env }) => env),
    [[{ name: "BENCH_MARK", value: "mark-1" }]],
  );
});

test("a new mark changes the Deployment's file and no other", () => {
  const before = applicationFiles({ name: "app-000", mark: "mark-1" });
  const after = applicationFiles({ name: "app-000", mark: "mark-2" });
  const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
  assert.deepEqual(changed, ["apps/app-000/deployment.yaml"]);
  assert.deepEqual(deploymentFile({ name: "app-000", mark: "mark-2" }), {
    "apps/app-000/deployment.yaml": after["apps/app-000/deployment.yaml"],
  });
});

test("a broken application asks for a pod of an image that does not come", () => {
  const [deployment] = objectsOf(deploymentFile({ name: "app-000", mark: "mark-1", broken: true }));
  const spec = deployment?.["spec"] as { replicas: number; template: { spec: { containers: readonly { image: string }[] } } };
  assert.equal(spec.replicas, 1);
  assert.deepEqual(
    spec.template.spec.containers.map(({ image }) => image),
    ["ghcr.io/stefanprodan/podinfo:broken"],
  );
});

test("names sort as they count", () => {
  assert.deepEqual(applicationNames({ prefix: "app", count: 3 }), ["app-000", "app-001", "app-002"]);
});

test("its configuration is valid, with applications and without", () => {
  const read = (names: readonly string[]) =>
    parseConfiguration({ text: configurationText(names), file: "driftless.yaml", repository: "https://git.example/fleet.git" });
  assert.deepEqual(
    read(["app-000", "app-001"]).applications.map(({ name, sources: [source], namespace, drift }) => [
      name,
      source?.kind === "git" ? source.path : undefined,
      namespace,
      drift,
    ]),
    [
      ["app-000", "apps/app-000", "app-000", "heal"],
      ["app-001", "apps/app-001", "app-001", "heal"],
    ],
  );
  assert.deepEqual(read([]).applications, []);
  const text = configurationText(["app-000"], { createNamespace: true });
  const [own] = parseConfiguration({ text, file: "driftless.yaml", repository: "https://git.example/fleet.git" }).applications;
  assert.equal(own?.sync.createNamespace, true);
});
