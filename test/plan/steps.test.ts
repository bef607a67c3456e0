import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { type Step, type Steps, syncSteps } from "../../lib/plan/steps.ts";

interface Parts {
  readonly argo?: string;
  readonly helm?: string;
  readonly wave?: string;
  readonly weight?: string;
}

function anObject(kind: string, name: string, { argo, helm, wave, weight }: Parts = {}) {
  const annotations = {
    ...(argo === undefined ? {} : { "argocd.argoproj.io/hook": argo }),
    ...(helm === undefined ? {} : { "helm.sh/hook": helm }),
    ...(wave === undefined ? {} : { "argocd.argoproj.io/sync-wave": wave }),
    ...(weight === undefined ? {} : { "helm.sh/hook-weight": weight }),
  };
  const metadata = kind === "Namespace" || kind === "CustomResourceDefinition" ? { name } : { name, namespace: "shop" };
  const manifest: Manifest = { apiVersion: apiVersions[kind] ?? "v1", kind, metadata: { ...metadata, annotations } };
  return { manifest, ref: refOf(manifest) };
}

const apiVersions: Readonly<Record<string, string>> = {
  CustomResourceDefinition: "apiextensions.k8s.io/v1",
  Deployment: "apps/v1",
  Job: "batch/v1",
  Role: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
};

type Desired = ReturnType<typeof anObject>;

const later = { isFirst: false, withHooks: true };

/** A step in one line: `PreSync -5: Namespace shop | Job migrate`. */
function told({ phase, wave, objects, hooks }: Step<Desired>): string {
  const list = (all: readonly Desired[]) => all.map(({ ref }) => `${ref.kind} ${ref.name}`).join(", ");
  return `${phase} ${wave}: ${list(objects)} | ${list(hooks)}`;
}

const sync = ({ sync: steps }: Steps<Desired>): readonly string[] => steps.map(told);

describe("syncSteps", () => {
  it("is one step without hooks and waves", () => {
    const steps = syncSteps(
      [anObject("Deployment", "web"), anObject("ConfigMap", "settings"), anObject("Namespace", "shop")],
      later,
    );
    assert.deepEqual(sync(steps), ["Sync 0: Namespace shop, ConfigMap settings, Deployment web | "]);
    assert.deepEqual([steps.failure, steps.skipped, steps.problems], [[], [], []]);
  });

  it("is PreSync hooks by wave, then waves of objects and Sync hooks, then PostSync hooks by wave", () => {
    const steps = syncSteps(
      [
        anObject("Job", "smoke", { argo: "PostSync" }),
        anObject("Job", "warm", { argo: "PostSync", wave: "-1" }),
        anObject("Deployment", "frontend", { wave: "2" }),
        anObject("Job", "page-up", { argo: "Sync", wave: "1" }),
        anObject("Deployment", "backend"),
        anObject("Job", "migrate", { argo: "PreSync", wave: "10" }),
        anObject("Job", "backup", { argo: "PreSync" }),
        anObject("Job", "tell", { argo: "Sync", wave: "2" }),
        anObject("ConfigMap", "early", { wave: "-3" }),
      ],
      later,
    );
    assert.deepEqual(sync(steps), [
      "PreSync 0:  | Job backup",
      "PreSync 10:  | Job migrate",
      "Sync -3: ConfigMap early | ",
      "Sync 0: Deployment backend | ",
      "Sync 1:  | Job page-up",
      "Sync 2: Deployment frontend | Job tell",
      "PostSync -1:  | Job warm",
      "PostSync 0:  | Job smoke",
    ]);
  });

  it("runs SyncFail hooks by wave, and only when the sync failed", () => {
    const steps = syncSteps(
      [
        anObject("Job", "tell", { argo: "SyncFail", wave: "1" }),
        anObject("Job", "undo", { argo: "SyncFail" }),
        anObject("ConfigMap", "a"),
      ],
      later,
    );
    assert.deepEqual(sync(steps), ["Sync 0: ConfigMap a | "]);
    assert.deepEqual(steps.failure.map(told), ["SyncFail 0:  | Job undo", "SyncFail 1:  | Job tell"]);
  });

  it("runs a hook of several phases in each of them", () => {
    const steps = syncSteps([anObject("ConfigMap", "a"), anObject("Job", "tell", { argo: "PreSync,PostSync,SyncFail" })], later);
    assert.deepEqual(sync(steps), ["PreSync 0:  | Job tell", "Sync 0: ConfigMap a | ", "PostSync 0:  | Job tell"]);
    assert.deepEqual(steps.failure.map(told), ["SyncFail 0:  | Job tell"]);
  });

  it("makes namespaces and definitions first, before PreSync hooks too, whatever their wave or hook says", () => {
    const steps = syncSteps(
      [
        anObject("Job", "migrate", { argo: "PreSync" }),
        anObject("Namespace", "shop", { wave: "5" }),
        anObject("CustomResourceDefinition", "orders.shop.example", { helm: "pre-install", weight: "3" }),
        anObject("Deployment", "web", { wave: "-1" }),
      ],
      later,
    );
    assert.deepEqual(sync(steps), [
      "PreSync 0: CustomResourceDefinition orders.shop.example, Namespace shop | Job migrate",
      "Sync -1: Deployment web | ",
    ]);
    assert.deepEqual(steps.skipped, []);
  });

  it("makes namespaces and definitions in a step of their own where nothing else comes before PostSync hooks", () => {
    const steps = syncSteps([anObject("Job", "smoke", { argo: "PostSync" }), anObject("Namespace", "shop")], later);
    assert.deepEqual(sync(steps), ["Sync 0: Namespace shop | ", "PostSync 0:  | Job smoke"]);
  });

  it("leaves out a namespace that is never to be applied", () => {
    const steps = syncSteps(
      [anObject("Namespace", "shop", { argo: "Skip" }), anObject("Namespace", "tests", { helm: "test" })],
      later,
    );
    assert.deepEqual(sync(steps), []);
    assert.deepEqual(
      steps.skipped.map(({ ref }) => ref.name),
      ["shop", "tests"],
    );
  });

  it("runs hooks of Helm by weight, then by kind, then by name, one after another, and what they need with the first", () => {
    const hook = (kind: string, name: string, weight?: string) =>
      anObject(kind, name, { helm: "pre-install,pre-upgrade", ...(weight === undefined ? {} : { weight }) });
    const steps = syncSteps(
      [
        hook("Job", "b-migrate"),
        hook("Job", "a-migrate"),
        hook("Pod", "z-check"),
        hook("ServiceAccount", "migrate"),
        hook("Job", "backup", "-10"),
        hook("RoleBinding", "migrate"),
        hook("Role", "migrate"),
        anObject("Deployment", "web"),
      ],
      later,
    );
    assert.deepEqual(sync(steps), [
      "PreSync -10:  | Job backup",
      "PreSync 0:  | ServiceAccount migrate, Role migrate, RoleBinding migrate, Pod z-check",
      "PreSync 0:  | Job a-migrate",
      "PreSync 0:  | Job b-migrate",
      "Sync 0: Deployment web | ",
    ]);
  });

  it("runs hooks of Argo CD in one wave together", () => {
    const steps = syncSteps([anObject("Job", "b", { argo: "PreSync" }), anObject("Job", "a", { argo: "PreSync" })], later);
    assert.deepEqual(sync(steps), ["PreSync 0:  | Job a, Job b"]);
  });

  it("leaves hooks out of a sync that only heals, and does not count them as skipped", () => {
    const desired = [
      anObject("ConfigMap", "a"),
      anObject("Job", "migrate", { argo: "PreSync" }),
      anObject("Job", "undo", { argo: "SyncFail" }),
      anObject("Job", "never", { argo: "Skip" }),
    ];
    const steps = syncSteps(desired, { isFirst: false, withHooks: false });
    assert.deepEqual(sync(steps), ["Sync 0: ConfigMap a | "]);
    assert.deepEqual(steps.failure, []);
    assert.deepEqual(
      steps.skipped.map(({ ref }) => ref.name),
      ["never"],
    );
  });

  it("names every annotation that means nothing, where it is, and what becomes of it", () => {
    const { problems } = syncSteps(
      [
        anObject("Job", "a", { argo: "presync" }),
        anObject("Job", "b", { helm: "pre-instal" }),
        anObject("ConfigMap", "c", { wave: "first" }),
        anObject("Job", "d", { helm: "pre-upgrade", weight: "1.5" }),
        anObject("Job", "e", { argo: "PostSync", wave: "1" }),
      ],
      later,
    );
    assert.deepEqual(problems, [
      'ConfigMap shop/c: annotation argocd.argoproj.io/sync-wave: "first" is no integer, so it is in wave 0',
      'Job shop/a: annotation argocd.argoproj.io/hook: "presync" has no meaning (write PreSync), so it is left out',
      'Job shop/b: annotation helm.sh/hook: "pre-instal" has no meaning, so it is left out',
      'Job shop/d: annotation helm.sh/hook-weight: "1.5" is no integer, so it is in wave 0',
    ]);
  });

  const anyDesired = fc.uniqueArray(
    fc.record({
      kind: fc.constantFrom("Namespace", "CustomResourceDefinition", "ConfigMap", "Deployment", "Job"),
      name: fc.constantFrom("a", "b", "c", "d", "e", "f"),
      argo: fc.constantFrom(undefined, undefined, "PreSync", "Sync", "PostSync", "SyncFail", "Skip", "PreSync,PostSync", "odd"),
      helm: fc.constantFrom(undefined, undefined, "pre-install", "post-upgrade", "test", "crd-install"),
      wave: fc.constantFrom(undefined, "-1", "0", "2", "x"),
    }),
    { selector: ({ kind, name }) => `${kind}/${name}`, maxLength: 12 },
  );
  const toDesired = (all: readonly { kind: string; name: string; argo: unknown; helm: unknown; wave: unknown }[]) =>
    all.map(({ kind, name, ...parts }) => anObject(kind, name, parts as Parts));

  it("loses no object: each is in a step or skipped, and an object that is no hook in exactly one", () => {
    fc.assert(
      fc.property(anyDesired, fc.boolean(), (all, isFirst) => {
        const desired = toDesired(all);
        const { sync: steps, failure, skipped } = syncSteps(desired, { isFirst, withHooks: true });
        const applied = steps.flatMap(({ objects }) => objects);
        assert.equal(new Set(applied).size, applied.length);
        const run = [...steps, ...failure].flatMap(({ hooks }) => hooks);
        assert.deepEqual(new Set([...applied, ...run, ...skipped]), new Set(desired));
        assert.equal(new Set(applied).size + new Set(run).size + skipped.length, desired.length);
      }),
    );
  });

  it("has no empty step, goes through the phases in order, and through the waves of a phase in order", () => {
    fc.assert(
      fc.property(anyDesired, fc.boolean(), (all, withHooks) => {
        const steps = syncSteps(toDesired(all), { isFirst: true, withHooks });
        const phases = ["PreSync", "Sync", "PostSync"];
        for (const { objects, hooks } of [...steps.sync, ...steps.failure]) assert.ok(objects.length + hooks.length > 0);
        for (const [index, step] of steps.sync.entries()) {
          const before = steps.sync[index - 1] ?? step;
          const [from, to] = [phases.indexOf(before.phase), phases.indexOf(step.phase)];
          assert.ok(from < to || (from === to && before.wave <= step.wave));
        }
      }),
    );
  });

  it("does not depend on the order in which objects are given", () => {
    fc.assert(
      fc.property(anyDesired, (all) => {
        const desired = toDesired(all);
        assert.deepEqual(syncSteps(desired, later), syncSteps(desired.toReversed(), later));
      }),
    );
  });
});
