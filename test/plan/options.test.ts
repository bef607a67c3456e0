import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Manifest } from "../../lib/model/resource.ts";
import { applyOptionsOf } from "../../lib/plan/options.ts";

function anObject(annotations: Readonly<Record<string, string>>, kind = "apps/v1 Deployment"): Manifest {
  const [apiVersion = "", name = ""] = kind.split(" ");
  return { apiVersion, kind: name, metadata: { name: "web", namespace: "shop", annotations } };
}
const argo = (value: string, kind?: string) => applyOptionsOf(anObject({ "argocd.argoproj.io/sync-options": value }, kind));
const flux = (word: string, value: string) => applyOptionsOf(anObject({ [`kustomize.toolkit.fluxcd.io/${word}`]: value }));
const plain = { apply: "always", because: "", recreate: false, force: undefined, adopt: true, problems: [] };

describe("what annotations ask of an apply", () => {
  it("is nothing where there are none, or only others", () => {
    assert.deepEqual(applyOptionsOf({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }), plain);
    assert.deepEqual(applyOptionsOf(anObject({ note: "x" })), plain);
  });

  it("lets an object be made again for Argo CD's Force and Replace, Flux's force, and our own word", () => {
    for (const value of ["Force=true", "Replace=true", "Prune=false, Force=true", "ServerSideApply=true,Replace=true"])
      assert.equal(argo(value).recreate, true, value);
    for (const value of ["Force=false", "Replace=false", "force=true", ""]) assert.equal(argo(value).recreate, false, value);
    assert.deepEqual(
      ["enabled", "Enabled", "disabled"].map((value) => flux("force", value).recreate),
      [true, true, false],
    );
    assert.equal(applyOptionsOf(anObject({ "driftless.dev/recreate": "allowed" })).recreate, true);
  });

  it("F7 never lets a Namespace, a definition or a volume be made again, and a claim or a StatefulSet only by our own word", () => {
    const words = { "argocd.argoproj.io/sync-options": "Force=true", "kustomize.toolkit.fluxcd.io/force": "enabled" };
    const all = { ...words, "driftless.dev/recreate": "allowed" };
    const kinds = [
      "v1 Namespace",
      "v1 PersistentVolume",
      "apiextensions.k8s.io/v1 CustomResourceDefinition",
      "v1 PersistentVolumeClaim",
      "apps/v1 StatefulSet",
      "batch/v1 Job",
    ];
    assert.deepEqual(
      kinds.map((kind) => [applyOptionsOf(anObject(words, kind)).recreate, applyOptionsOf(anObject(all, kind)).recreate]),
      [
        [false, false],
        [false, false],
        [false, false],
        [false, true],
        [false, true],
        [true, true],
      ],
    );
    assert.deepEqual(applyOptionsOf(anObject({ "driftless.dev/recreate": "allowed" }, "v1 Namespace")).problems, [
      "Namespace shop/web: annotation driftless.dev/recreate: a Namespace is never deleted to be made again",
    ]);
  });

  it("follows Flux's ssa in any case", () => {
    assert.deepEqual(flux("ssa", "Override"), { ...plain, force: true });
    assert.deepEqual(flux("ssa", "merge"), { ...plain, force: false, adopt: false });
    const present = { apply: "if-absent", because: "kustomize.toolkit.fluxcd.io/ssa: IfNotPresent" };
    assert.deepEqual(flux("ssa", "IFNOTPRESENT"), { ...plain, ...present });
    assert.deepEqual(flux("ssa", "Ignore"), { ...plain, apply: "never", because: "kustomize.toolkit.fluxcd.io/ssa: Ignore" });
  });

  it("follows Flux's reconcile, before its ssa", () => {
    const paused = { ...plain, apply: "never", because: "kustomize.toolkit.fluxcd.io/reconcile: disabled" };
    assert.deepEqual(flux("reconcile", "disabled"), paused);
    assert.deepEqual(flux("reconcile", "enabled"), plain);
    const both = { "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent", "kustomize.toolkit.fluxcd.io/reconcile": "Disabled" };
    assert.deepEqual(applyOptionsOf(anObject(both)), paused);
  });

  it("reads Flux's words from labels too", () => {
    const labels = { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" };
    assert.equal(applyOptionsOf({ apiVersion: "v1", kind: "Pod", metadata: { name: "a", labels } }).apply, "never");
  });

  it("knows the options of Argo CD that ask for what is done anyway, or by others", () => {
    const known = [
      "Prune=false,Delete=false,Prune=confirm,Delete=confirm,Validate=false,SkipDryRunOnMissingResource=true",
      "ServerSideApply=true,PruneLast=true,CreateNamespace=true,ApplyOutOfSyncOnly=true,RespectIgnoreDifferences=true",
      "FailOnSharedResource=true,PrunePropagationPolicy=background,ClientSideApplyMigration=false",
    ];
    for (const value of known) assert.deepEqual(argo(value), plain, value);
  });

  it("tells values that have no meaning, and what would have one", () => {
    assert.deepEqual(argo("Prune=no, Frobnicate=true, replace=true, Force").problems, [
      'Deployment shop/web: annotation argocd.argoproj.io/sync-options: "Prune=no" has no meaning, so it is left out; write Prune=true or Prune=false or Prune=confirm',
      'Deployment shop/web: annotation argocd.argoproj.io/sync-options: "Frobnicate=true" has no meaning, so it is left out; write NAME=true or NAME=false',
      'Deployment shop/web: annotation argocd.argoproj.io/sync-options: "replace=true" has no meaning, so it is left out; write Replace=true or Replace=false',
      'Deployment shop/web: annotation argocd.argoproj.io/sync-options: "Force" has no meaning, so it is left out; write Force=true or Force=false',
    ]);
    assert.deepEqual(flux("ssa", "Never").problems, [
      'Deployment shop/web: annotation kustomize.toolkit.fluxcd.io/ssa: "Never" has no meaning, so it is left out; write Override, Merge, IfNotPresent or Ignore',
    ]);
    assert.equal(flux("force", "yes").problems.length + flux("reconcile", "off").problems.length, 2);
    assert.deepEqual(applyOptionsOf(anObject({ "driftless.dev/recreate": "true" })).problems, [
      'Deployment shop/web: annotation driftless.dev/recreate: "true" has no meaning, so it is left out; write allowed',
    ]);
  });
});
