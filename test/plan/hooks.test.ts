import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { hookOf, hookOfRun, isDeletedAfter, waveOf } from "../../lib/plan/hooks.ts";

type Annotations = Readonly<Record<string, string>>;

function aJob(annotations: Annotations, metadata: { readonly name?: string; readonly generateName?: string } = {}): Manifest {
  return { apiVersion: "batch/v1", kind: "Job", metadata: { name: "migrate", ...metadata, annotations } };
}

const argo = (hook: string, more: Annotations = {}) => aJob({ "argocd.argoproj.io/hook": hook, ...more });
const helm = (hook: string, more: Annotations = {}) => aJob({ "helm.sh/hook": hook, ...more });

/** What the first sync makes of an object, and what later ones do. */
function both(manifest: Manifest): readonly unknown[] {
  return [true, false].map((isFirst) => {
    const hook = hookOf(manifest, { isFirst });
    return typeof hook === "object" ? hook.phases : hook;
  });
}

describe("hookOf", () => {
  it("runs a hook of Argo CD in the phases that it names, in every sync", () => {
    assert.deepEqual(both(argo("PreSync")), [["PreSync"], ["PreSync"]]);
    assert.deepEqual(both(argo("Sync")), [["Sync"], ["Sync"]]);
    assert.deepEqual(both(argo("PostSync, SyncFail")), [
      ["PostSync", "SyncFail"],
      ["PostSync", "SyncFail"],
    ]);
  });

  it("neither applies nor prunes what is only for deletion, or marked Skip", () => {
    for (const hook of ["Skip", "PreDelete", "PostDelete", "PreDelete,PostDelete"])
      assert.deepEqual(both(argo(hook)), ["skip", "skip"], hook);
  });

  it("runs Helm's install hooks until a sync has succeeded, and its upgrade hooks after that", () => {
    assert.deepEqual(both(helm("pre-install")), [["PreSync"], "skip"]);
    assert.deepEqual(both(helm("post-install")), [["PostSync"], "skip"]);
    assert.deepEqual(both(helm("pre-upgrade")), ["skip", ["PreSync"]]);
    assert.deepEqual(both(helm("post-upgrade")), ["skip", ["PostSync"]]);
    assert.deepEqual(both(helm("pre-install,pre-upgrade")), [["PreSync"], ["PreSync"]]);
    assert.deepEqual(both(helm("post-install, pre-upgrade, post-delete")), [["PostSync"], ["PreSync"]]);
  });

  it("never runs Helm's hooks for tests, deletion and rollback", () => {
    const never = ["test", "test-success", "test-failure", "pre-delete", "post-delete", "pre-rollback", "post-rollback"];
    for (const hook of never) assert.deepEqual(both(helm(hook)), ["skip", "skip"], hook);
  });

  it("takes what Helm 2 installed as crd-install for an ordinary object", () => {
    assert.deepEqual(both(helm("crd-install")), [undefined, undefined]);
  });

  it("lets Argo CD's annotation win over Helm's", () => {
    assert.deepEqual(both(helm("post-install", { "argocd.argoproj.io/hook": "Sync" })), [["Sync"], ["Sync"]]);
    assert.deepEqual(both(helm("pre-upgrade", { "argocd.argoproj.io/hook": "Skip" })), ["skip", "skip"]);
    assert.deepEqual(both(helm("pre-install", { "argocd.argoproj.io/hook": "" })), [["PreSync"], "skip"]);
  });

  it("takes an object without either annotation, or with empty ones, for an ordinary object", () => {
    assert.deepEqual(both(aJob({})), [undefined, undefined]);
    assert.deepEqual(both({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }), [undefined, undefined]);
    assert.deepEqual(both(helm(" ")), [undefined, undefined]);
  });

  it("never applies a hook none of whose words it knows, and runs one by the words that it knows", () => {
    assert.deepEqual(both(argo("presync")), ["skip", "skip"]);
    assert.deepEqual(both(argo("Presync,PostSync")), [["PostSync"], ["PostSync"]]);
    assert.deepEqual(both(helm("pre-instal")), ["skip", "skip"]);
  });

  it("replaces the object of the last sync unless other delete policies are named, in either vocabulary", () => {
    const policies = (manifest: Manifest) => {
      const hook = hookOf(manifest, { isFirst: true });
      return typeof hook === "object" ? hook.deletePolicies : hook;
    };
    const argoPolicy = "argocd.argoproj.io/hook-delete-policy";
    assert.deepEqual(policies(argo("Sync")), ["BeforeHookCreation"]);
    assert.deepEqual(policies(argo("Sync", { [argoPolicy]: "HookSucceeded" })), ["HookSucceeded"]);
    assert.deepEqual(policies(argo("Sync", { [argoPolicy]: "HookFailed, BeforeHookCreation" })), [
      "HookFailed",
      "BeforeHookCreation",
    ]);
    assert.deepEqual(policies(helm("pre-install", { "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded" })), [
      "BeforeHookCreation",
      "HookSucceeded",
    ]);
    assert.deepEqual(policies(helm("pre-install", { "helm.sh/hook-delete-policy": "hook-failed", [argoPolicy]: "HookFailed" })), [
      "HookFailed",
    ]);
    assert.deepEqual(policies(argo("Sync", { [argoPolicy]: "never" })), ["BeforeHookCreation"]);
  });
});

describe("isDeletedAfter", () => {
  it("deletes a hook's object after the end that its policy names, and after no other", () => {
    const hook = (...deletePolicies: readonly ("BeforeHookCreation" | "HookSucceeded" | "HookFailed")[]) => ({
      phases: ["Sync"] as const,
      deletePolicies,
    });
    assert.equal(isDeletedAfter(hook("HookSucceeded"), "succeeded"), true);
    assert.equal(isDeletedAfter(hook("HookSucceeded"), "failed"), false);
    assert.equal(isDeletedAfter(hook("BeforeHookCreation", "HookFailed"), "failed"), true);
    assert.equal(isDeletedAfter(hook("BeforeHookCreation"), "succeeded"), false);
  });
});

describe("waveOf", () => {
  const wave = "argocd.argoproj.io/sync-wave";
  const weight = "helm.sh/hook-weight";

  it("is the annotation of Argo CD, negative ones too, and 0 without it", () => {
    assert.equal(waveOf(aJob({})), 0);
    assert.equal(waveOf(aJob({ [wave]: "3" })), 3);
    assert.equal(waveOf(aJob({ [wave]: "-5" })), -5);
    assert.equal(waveOf(aJob({ [wave]: " +2 " })), 2);
    assert.ok(Object.is(waveOf(aJob({ [wave]: "-0" })), 0));
  });

  it("is the weight of a hook of Helm that names no wave, and of nothing else", () => {
    assert.equal(waveOf(helm("pre-install", { [weight]: "-5" })), -5);
    assert.equal(waveOf(helm("pre-install", { [weight]: "-5", [wave]: "7" })), 7);
    assert.equal(waveOf(argo("PreSync", { [weight]: "-5" })), 0);
    assert.equal(waveOf(aJob({ [weight]: "-5" })), 0);
  });

  it("is 0 when the text is no integer", () => {
    for (const text of ["", "first", "1.5", "1e3", "0x10", "99999999999999999999"])
      assert.equal(waveOf(aJob({ [wave]: text })), 0, text);
  });
});

describe("hookOfRun", () => {
  const run = { run: "s-1", phase: "PreSync" } as const;
  const of = (manifest: Manifest, by: Parameters<typeof hookOfRun>[1] = run) =>
    hookOfRun({ manifest, ref: refOf(manifest), digest: "d" }, by);

  it("keeps the name of a hook that has one, and says whose run made it", () => {
    const { manifest, digest } = of(argo("PreSync"));
    const { metadata } = manifest;
    assert.equal(digest, "d");
    assert.equal(metadata.name, "migrate");
    assert.deepEqual(metadata.annotations, { "argocd.argoproj.io/hook": "PreSync", "driftless.dev/sync": "s-1/PreSync" });
  });

  it("gives a hook with a generateName the same name for the same run and phase, and another one for any other", () => {
    const hook = (name: string) => aJob({ "argocd.argoproj.io/hook": "PreSync" }, { name, generateName: "migrate-" });
    const named = (name: string, by: Parameters<typeof hookOfRun>[1]) => of(hook(name), by).manifest.metadata;
    const { name, generateName } = named("migrate-1", run);
    assert.equal(of(hook("migrate-1")).ref.name, name);
    assert.match(name, /^migrate-[0-9a-f]{10}$/);
    assert.equal(generateName, undefined);
    assert.equal(named("migrate-1", run).name, name);
    const others = [
      named("migrate-2", run),
      named("migrate-1", { run: "s-2", phase: "PreSync" }),
      named("migrate-1", { run: "s-1", phase: "PostSync" }),
    ].map((metadata) => metadata.name);
    assert.equal(new Set([name, ...others]).size, 4);
  });

  it("cuts a long generateName so that the name fits into a label", () => {
    const long = aJob({ "argocd.argoproj.io/hook": "Sync" }, { name: "x", generateName: `${"a".repeat(70)}-` });
    assert.match(of(long).ref.name, /^a{53}[0-9a-f]{10}$/);
  });
});
