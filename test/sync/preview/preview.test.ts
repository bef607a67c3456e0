import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isDriftlessError } from "../../../lib/errors.ts";
import { stringifyJson } from "../../../lib/model/json.ts";
import type { Manifest } from "../../../lib/model/resource.ts";
import { aName } from "../../apply/open.ts";
import { openCluster as openLimited } from "../../cluster/open.ts";
import { sharedControlPlane } from "../../support/cluster.ts";
import { addedRequests, countRequests } from "../../support/metrics.ts";
import { aConfigMap, aCrd, aDeployment, aNamespace, aPod } from "../../support/objects.ts";
import { previewingAround, told, versionsOf } from "./previewing.ts";

const withAnnotations = (object: Manifest, annotations: Readonly<Record<string, string>>): Manifest => ({
  ...object,
  metadata: { ...object.metadata, annotations },
});

suite("the plan of an application", () => {
  const open = previewingAround();

  test("of what is synced is empty, and costs no dry run", async (t) => {
    const { push, sync, preview, application, namespace } = await open(t);
    await push({ a: aConfigMap(namespace, "a"), web: aDeployment(namespace, "web") });
    await sync();
    const controlPlane = await sharedControlPlane();
    const before = await countRequests(controlPlane, ["configmaps"]);
    const { changes, unchanged, blocked, needsApproval, cluster } = await preview({ application });
    assert.deepEqual([changes, unchanged, blocked, needsApproval, cluster], [[], 2, "", undefined, "eu"]);
    assert.deepEqual(addedRequests(before, await countRequests(controlPlane, ["configmaps"])), { "LIST configmaps": 1 });
  });

  test("names what is new with its main facts, in the order of a sync", async (t) => {
    const { push, preview, application, namespace } = await open(t);
    const commit = await push({
      web: aDeployment(namespace, "web", { replicas: 2 }),
      a: aConfigMap(namespace, "a", { one: "1", two: "2" }),
    });
    const { changes, unchanged, revision } = await preview({ application });
    assert.deepEqual(told(changes), [
      "create ConfigMap a: 2 keys",
      "create Deployment web: registry.example/web:1.0, 2 replicas",
    ]);
    assert.deepEqual([unchanged, revision], [0, commit]);
  });

  test("says field by field what changes, and who loses what, and writes nothing", async (t) => {
    const { push, sync, preview, patch, writer, application, namespace } = await open(t);
    const web = aDeployment(namespace, "web");
    await push({ a: aConfigMap(namespace, "a", { key: "1", gone: "x" }), b: aConfigMap(namespace, "b"), web });
    await sync();
    await patch(`/apis/apps/v1/namespaces/${namespace}/deployments/web`, "kubectl-scale", { spec: { replicas: 5 } });
    await push({
      a: aConfigMap(namespace, "a", { key: "2", more: "y" }),
      web: aDeployment(namespace, "web", { image: "web:2" }),
    });
    const objects = [aConfigMap(namespace, "a"), aConfigMap(namespace, "b"), web];
    const controlPlane = await sharedControlPlane();
    const [versions, before] = [await versionsOf(writer, objects), await countRequests(controlPlane, ["configmaps"])];
    const { changes, unchanged } = await preview({ application });
    assert.deepEqual(told(changes), [
      "change ConfigMap a",
      '  data.gone: "x" -> "-"',
      '  data.key: "1" -> "2"',
      '  data.more: "-" -> "y"',
      "change Deployment web",
      "  spec.replicas: 5 -> 1 (kubectl-scale)",
      '  spec.template.spec.containers[name="web"].image: "registry.example/web:1.0" -> "web:2"',
    ]);
    assert.equal(unchanged, 1);
    assert.deepEqual(addedRequests(before, await countRequests(controlPlane, ["configmaps"])), {
      "LIST configmaps": 1,
      "GET configmaps": 1,
      "APPLY (dry run) configmaps": 1,
    });
    assert.deepEqual(await versionsOf(writer, objects), versions);
  });

  test("shows what was edited by hand although the desired state is the same", async (t) => {
    const { push, sync, preview, patch, application, namespace } = await open(t);
    await push({ a: aConfigMap(namespace, "a") });
    await sync();
    await patch(`/api/v1/namespaces/${namespace}/configmaps/a`, "kubectl-edit", { data: { key: "2", theirs: "x" } });
    assert.deepEqual(told((await preview({ application })).changes), [
      "change ConfigMap a",
      '  data.key: "2" -> "1" (kubectl-edit)',
    ]);
  });

  test("says what a field falls back to that is no longer stated", async (t) => {
    const { push, sync, preview, application, namespace } = await open(t);
    const web = aDeployment(namespace, "web", { replicas: 3 });
    await push({ web });
    await sync();
    const { replicas: _stated, ...spec } = web["spec"] as Readonly<Record<string, string>>;
    await push({ web: { ...web, spec } });
    assert.deepEqual(told((await preview({ application })).changes), ["change Deployment web", "  spec.replicas: 3 -> 1"]);
  });

  test("tells of long values only what differs", async (t) => {
    const { push, sync, preview, application, namespace } = await open(t);
    const text = (word: string) => `${"a".repeat(3000)}${word}${"z".repeat(3000)}`;
    await push({ a: aConfigMap(namespace, "a", { key: text("old") }) });
    await sync();
    await push({ a: aConfigMap(namespace, "a", { key: text("new") }) });
    const [field] = (await preview({ application })).changes[0]?.fields ?? [];
    const [start, end] = [`…${"a".repeat(40)}`, `${"z".repeat(40)}…`];
    assert.deepEqual([field?.from, field?.to], [`${start}old${end}`, `${start}new${end}`]);
  });

  test("lets no byte of a Secret out, and still says which value changes", async (t) => {
    const { push, sync, preview, patch, application, namespace } = await open(t);
    const secret = (name: string, stringData: Readonly<Record<string, unknown>>): Manifest => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace },
      stringData: stringData as Readonly<Record<string, string>>,
    });
    await push({ s: secret("s", { password: "CANARY-old", same: "CANARY-same", gone: "CANARY-gone" }) });
    await sync();
    const copy = { "kubectl.kubernetes.io/last-applied-configuration": '{"data":"CANARY-copy"}' };
    await patch(`/api/v1/namespaces/${namespace}/secrets/s`, "kubectl-edit", {
      metadata: { annotations: copy },
      data: { same: Buffer.from("CANARY-live").toString("base64") },
    });
    await push({
      s: withAnnotations(secret("s", { password: "CANARY-new", same: "CANARY-same", more: "CANARY-more" }), copy),
      n: secret("n", { token: "CANARY-created" }),
      broken: secret("broken", { pin: 12345678 }),
    });
    const shown = await preview({ application });
    assert.deepEqual(told(shown.changes.filter(({ action }) => action !== "fail")), [
      "create Secret n: 1 key",
      "change Secret s",
      '  data.gone: "[secret]" -> "-"',
      '  data.more: "-" -> "[secret]"',
      '  data.password: "[secret]" -> "[secret, changed]"',
      '  data.same: "[secret]" -> "[secret, changed]" (kubectl-edit)',
    ]);
    const refused = shown.changes.filter(({ action }) => action === "fail");
    assert.match(refused[0]?.reason ?? "", /Secret preview-\S+\/broken: .*stringData\.pin: expected string, got \[secret\]$/);
    const text = stringifyJson(shown as unknown as Parameters<typeof stringifyJson>[0]);
    const hidden = [
      "CANARY",
      "12345678",
      ...["old", "new", "same", "gone", "more", "live", "created"].map((word) => `CANARY-${word}`),
    ];
    for (const value of hidden) {
      assert.ok(!text.includes(value) && !text.includes(Buffer.from(value).toString("base64").slice(0, 6)), value);
    }
  });

  test("deletes what left, keeps what asks for it, and says why", async (t) => {
    const { push, sync, preview, application, namespace } = await open(t);
    const keep = withAnnotations(aConfigMap(namespace, "keep"), { "helm.sh/resource-policy": "keep" });
    await push({ a: aConfigMap(namespace, "a"), b: aConfigMap(namespace, "b"), keep });
    await sync();
    await push({ b: null, keep: null });
    const { changes, prune, hash, blocked } = await preview({ application });
    assert.deepEqual(told(changes), [
      "keep ConfigMap keep: its annotation helm.sh/resource-policy says keep",
      "delete ConfigMap b",
    ]);
    assert.match(`${hash} ${prune}`, /^[0-9a-f]{16} [0-9a-f]{64}$/);
    assert.equal(blocked, "");
  });

  test("names all deletes above the budget, with why none is done, and another hash when one of them is another object", async (t) => {
    const { push, sync, preview, call, change, application, namespace } = await open(t);
    const names = Array.from({ length: 12 }, (_, number) => `m${number}`);
    await push(Object.fromEntries([...names, "stays"].map((name) => [name, aConfigMap(namespace, name)])));
    await sync();
    await push(Object.fromEntries(names.map((name) => [name, null])));
    const first = await preview({ application });
    assert.equal(first.changes.filter(({ action }) => action === "delete").length, 12);
    assert.match(first.blocked, /^12 of 13 objects of application \S+ would be deleted/);
    assert.equal(first.needsApproval, undefined, "no run was blocked yet");
    await change(({ desired, lastSync }) => ({
      lastSync: { ...lastSync!, generation: desired!.generation, phase: "Blocked" },
    }));
    assert.equal((await preview({ application })).needsApproval, true);
    await change(({ desired }) => ({
      approval: { revision: desired!.revision, hash: first.hash, prune: first.prune, by: "ada", at: "" },
    }));
    assert.equal((await preview({ application })).blocked, "");

    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    await call("DELETE", `${path}/m3`);
    await call("POST", path, { body: aConfigMap(namespace, "m3") });
    const second = await preview({ application });
    assert.ok(second.hash !== first.hash && second.prune !== first.prune);
    assert.ok(told(second.changes).includes("keep ConfigMap m3: it no longer carries the label driftless.dev/application"));
  });

  test("creates what stands on a namespace or kind of the same plan without a dry run, and says so", async (t) => {
    const [name, group] = [aName("preview"), `${aName("t")}.example`];
    const { push, preview, application } = await open(t, { namespace: name, more: "sync: { createNamespace: true }" });
    const note: Manifest = { apiVersion: `${group}/v1`, kind: "Note", metadata: { name: "n" }, spec: { id: 1 } };
    await push({ a: aConfigMap(name, "a"), crd: aCrd({ group, kind: "Note", scope: "Cluster" }), note });
    assert.deepEqual(told((await preview({ application })).changes), [
      `create CustomResourceDefinition notes.${group}`,
      `create Namespace ${name}`,
      "create ConfigMap a: 1 key; no dry run yet: its namespace comes with the same sync",
      "create Note n: no dry run yet: its kind comes with the same sync",
    ]);
  });

  test("does not take a custom resource for refused whose definition changes with it", async (t) => {
    const group = `${aName("t")}.example`;
    const { push, sync, preview, application, writer } = await open(t);
    const crd = aCrd({ group, kind: "Memo", scope: "Cluster" });
    await push({ crd });
    await sync();
    t.after(async () => {
      const live = await writer.get({
        group: "apiextensions.k8s.io",
        version: "v1",
        kind: "CustomResourceDefinition",
        namespace: "",
        name: `memos.${group}`,
      });
      if (live)
        await writer.delete(
          {
            group: "apiextensions.k8s.io",
            version: "v1",
            kind: "CustomResourceDefinition",
            namespace: "",
            name: `memos.${group}`,
          },
          { uid: live.metadata.uid ?? "" },
        );
    });
    const wider = JSON.parse(stringifyJson(crd).replace('"id":', '"text":{"type":"string"},"id":')) as Manifest;
    await push({ crd: wider, memo: { apiVersion: `${group}/v1`, kind: "Memo", metadata: { name: "m" }, spec: { text: "x" } } });
    const lines = told((await preview({ application })).changes);
    assert.match(lines.find((line) => line.includes(" Memo m")) ?? "", /^create Memo m: no dry run yet: its definition changes/);
  });

  test("does not take a Pod for refused whose ServiceAccount comes with it", async (t) => {
    const { push, preview, application, namespace } = await open(t);
    const account: Manifest = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "runner", namespace } };
    const pod = aPod(namespace, "one");
    const spec = { ...(pod["spec"] as object), serviceAccountName: "runner" };
    await push({
      account,
      pod: { ...pod, spec },
      lost: { ...aPod(namespace, "two"), spec: { ...spec, serviceAccountName: "nobody" } },
    });
    const [first, second, third] = told((await preview({ application })).changes);
    assert.deepEqual(
      [first, second],
      ["create ServiceAccount runner", "create Pod one: no dry run yet: runner comes with the same sync"],
    );
    assert.match(third ?? "", /^fail Pod two: .*"nobody" not found/);
  });

  test("says which field cannot be changed, and recreates only where that is asked", async (t) => {
    const { push, sync, preview, application, namespace } = await open(t);
    const force = { "argocd.argoproj.io/sync-options": "Force=true" };
    await push({ web: aDeployment(namespace, "web"), api: withAnnotations(aDeployment(namespace, "api"), force) });
    await sync();
    await push({
      web: aDeployment(namespace, "web", { app: "other" }),
      api: withAnnotations(aDeployment(namespace, "api", { app: "other" }), force),
    });
    const { changes } = await preview({ application });
    assert.deepEqual(
      changes.map(({ action, ref, fields }) => [action, ref.name, fields]),
      [
        [
          "recreate",
          "api",
          [{ path: "spec.selector", from: { matchLabels: { app: "api" } }, to: { matchLabels: { app: "other" } }, manager: "" }],
        ],
        [
          "fail",
          "web",
          [{ path: "spec.selector", from: { matchLabels: { app: "web" } }, to: { matchLabels: { app: "other" } }, manager: "" }],
        ],
      ],
    );
    assert.equal(changes[0]?.reason, "spec.selector: field is immutable");
    assert.match(
      changes[1]?.reason ?? "",
      /web cannot be changed in spec\.selector: field is immutable; revert the change, or let/,
    );
  });

  test("refuses what other managers hold where conflicts shall fail", async (t) => {
    const { push, sync, preview, patch, application, namespace } = await open(t, { more: "sync: { conflicts: fail }" });
    await push({ a: aConfigMap(namespace, "a") });
    await sync();
    await patch(`/api/v1/namespaces/${namespace}/configmaps/a`, "kubectl-edit", { data: { key: "2" } });
    assert.deepEqual(told((await preview({ application })).changes), [
      "fail ConfigMap a: it would take .data.key from kubectl-edit, and `sync.conflicts` is `fail`",
      '  data.key: "2" -> "1" (kubectl-edit)',
    ]);
  });

  test("says what goes that a former deployer stated, and leaves the server's defaults out", async (t) => {
    const { push, preview, call, application, namespace } = await open(t);
    const stated = {
      ...aDeployment(namespace, "web"),
      metadata: { name: "web", namespace, labels: { team: "shop", app: "web" } },
    };
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": stringifyJson(stated) };
    const body = { ...stated, metadata: { ...stated.metadata, annotations } };
    assert.equal((await call("POST", `${path}?fieldManager=kubectl-client-side-apply`, { body })).status, 201);
    await push({ web: { ...aDeployment(namespace, "web"), metadata: { name: "web", namespace, labels: { app: "web" } } } });
    assert.deepEqual(told((await preview({ application })).changes), [
      "change Deployment web: it is adopted from kubectl-client-side-apply",
      `  metadata.labels["driftless.dev/application"]: "-" -> "${application}"`,
      '  metadata.labels.team: "shop" -> "-" (kubectl-client-side-apply)',
    ]);
  });

  test("names what is left alone because its annotation says so", async (t) => {
    const { push, preview, application, namespace } = await open(t);
    const ignored = withAnnotations(aConfigMap(namespace, "a"), { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" });
    await push({ a: ignored });
    const { changes, unchanged, warnings } = await preview({ application });
    assert.deepEqual([changes, unchanged], [[], 1]);
    assert.match(
      warnings.join(),
      new RegExp(`^ConfigMap ${namespace}/a is left alone: its annotation says .*reconcile: disabled$`),
    );
  });

  test("refuses an object that the API server refuses, and one of a kind that it does not serve", async (t) => {
    const { push, preview, application, namespace } = await open(t);
    const broken = { ...aConfigMap(namespace, "broken"), data: { key: 1 } } as unknown as Manifest;
    await push({
      broken,
      strange: { apiVersion: "nowhere.example/v1", kind: "Thing", metadata: { name: "t" } },
      ok: aConfigMap(namespace, "ok"),
    });
    const lines = told((await preview({ application })).changes);
    assert.equal(lines.filter((line) => line.startsWith("create ConfigMap ok")).length, 1);
    assert.match(lines.join("\n"), /fail ConfigMap broken: .*\.data\.key: expected string/);
    assert.match(lines.join("\n"), /fail Thing t: the cluster serves no kind Thing in nowhere\.example\/v1/);
  });

  test("names what may not be looked at, and plans the rest", async (t) => {
    const { push, previewAs, writer, application, namespace } = await open(t);
    const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name: "planner", namespace } };
    const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "patch", "create"] }];
    const subjects = [{ kind: "User", name: "limited", apiGroup: "rbac.authorization.k8s.io" }];
    const roleRef = { kind: "Role", name: "planner", apiGroup: "rbac.authorization.k8s.io" };
    await writer.apply({ ...rbac, kind: "Role", rules }, { force: true });
    await writer.apply({ ...rbac, kind: "RoleBinding", subjects, roleRef }, { force: true });
    await push({ a: aConfigMap(namespace, "a"), s: { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace } } });
    const limited = await openLimited(t, { user: "limited" });
    const { changes, warnings } = await previewAs(limited)({ application });
    const [secret, configMap, ...others] = told(changes);
    assert.deepEqual([configMap, others], ["create ConfigMap a: 1 key", []]);
    assert.match(secret ?? "", /^fail Secret s: .*User "limited" cannot get resource "secrets"/);
    assert.match(warnings.join("\n"), /cannot list resource "configmaps"/);
  });

  test("lists hooks where they are run", async (t) => {
    const { push, preview, application, namespace } = await open(t);
    const hook = (name: string, phase: string) =>
      withAnnotations(aConfigMap(namespace, name), { "argocd.argoproj.io/hook": phase });
    await push({
      a: aConfigMap(namespace, "a"),
      before: hook("before", "PreSync"),
      after: hook("after", "PostSync"),
      never: hook("never", "Skip"),
      failing: hook("failing", "SyncFail"),
    });
    assert.deepEqual(told((await preview({ application })).changes), [
      "hook ConfigMap before: PreSync",
      "create ConfigMap a: 1 key",
      "hook ConfigMap after: PostSync",
      "hook ConfigMap failing: SyncFail: only if the sync fails",
    ]);
  });

  test("refuses an object that another application has and states, and takes over one that it states no more", async (t) => {
    const other = await open(t);
    const mine = await open(t, { namespace: other.namespace });
    await other.push({ a: aConfigMap(other.namespace, "a") });
    await other.sync();
    await mine.push({ a: aConfigMap(other.namespace, "a") });
    // The other application is in another table: here it states nothing.
    assert.deepEqual(told((await mine.preview({ application: mine.application })).changes), [
      `change ConfigMap a: it is taken over from application ${other.application}, which states it no more`,
      `  metadata.labels["driftless.dev/application"]: "${other.application}" -> "${mine.application}"`,
    ]);
    const known = await other.planning.state(other.application);
    await mine.planning.stores.applications.put({
      ...known!,
      version: 1,
      desired: (await mine.planning.state(mine.application))!.desired!,
    });
    assert.match(
      told((await mine.preview({ application: mine.application })).changes).join("\n"),
      new RegExp(`^fail ConfigMap a: .* belongs to application ${other.application}, which states it too`),
    );
  });

  test("is of the state that waits for leave, where one waits", async (t) => {
    const { push, sync, preview, change, application, namespace } = await open(t);
    await push({ a: aConfigMap(namespace, "a") });
    await sync();
    const commit = await push({ b: aConfigMap(namespace, "b") });
    await change(({ definition, desired, lastHealthy }) => ({
      definition: { ...definition, sync: { ...definition.sync, mode: "approve" } },
      desired: { ...desired!, ...lastHealthy! },
      pending: { ...desired!, reason: "its plan waits for approval" },
    }));
    const waiting = await preview({ application });
    assert.deepEqual(told(waiting.changes), ["create ConfigMap b: 1 key"]);
    assert.deepEqual(
      [waiting.revision, waiting.needsApproval, waiting.warnings],
      [commit, true, ["it waits: its plan waits for approval"]],
    );
    await change(() => ({ rejected: { revision: commit, snapshot: waiting.snapshot, reason: "Degraded", by: "ada", at: "" } }));
    assert.deepEqual((await preview({ application })).warnings[1], "it was rolled back by ada: Degraded");
  });

  test("of a commit that is on no followed branch renders it, and leaves the application as it was", async (t) => {
    const { push, commit, sync, preview, planning, application, namespace } = await open(t);
    const main = await push({ a: aConfigMap(namespace, "a", { key: "1" }) });
    await sync();
    const before = await planning.state(application);
    const branch = await commit({ a: aConfigMap(namespace, "a", { key: "2" }), b: aConfigMap(namespace, "b") }, "feature");
    const expected = ["change ConfigMap a", '  data.key: "1" -> "2"', "create ConfigMap b: 1 key"];
    const byCommit = await preview({ application, revision: branch });
    assert.deepEqual([told(byCommit.changes), byCommit.revision, byCommit.needsApproval], [expected, branch, undefined]);
    const byBranch = await preview({ application, revision: "feature" });
    assert.deepEqual([byBranch.hash, byBranch.revision], [byCommit.hash, branch]);
    assert.deepEqual((await preview({ application, revision: main.slice(0, 7) })).changes, []);
    assert.deepEqual(await planning.state(application), before);
    assert.deepEqual(planning.started().length, 1);
  });

  test("cannot be made of what is not there", async (t) => {
    const { push, preview, application, namespace } = await open(t);
    const says = (code: "not-found" | "render", text: RegExp) => (error: unknown) => {
      assert.ok(isDriftlessError(error, code), String(error));
      assert.match(error.message, text);
      return true;
    };
    await assert.rejects(preview({ application: "nobody" }), says("not-found", /^there is no application nobody$/));
    await assert.rejects(preview({ application: "nobody", revision: "main" }), says("not-found", /has no application nobody/));
    await push({ a: aConfigMap(namespace, "a") });
    await assert.rejects(
      preview({ application, revision: "nowhere" }),
      says("not-found", /no branch nowhere.*a tag cannot be looked up/),
    );
    await assert.rejects(preview({ application, revision: "f".repeat(40) }), says("not-found", /has no commit f{40}/));
  });

  test("of an application that left the configuration deletes what it had, but for its namespace", async (t) => {
    const { push, sync, preview, change, application, namespace } = await open(t);
    await push({ a: aConfigMap(namespace, "a"), ns: aNamespace(namespace) });
    await sync();
    await change(({ desired }) => ({ removed: true, desired: { ...desired!, snapshot: "", generation: 9 } }));
    const lines = told((await preview({ application })).changes);
    assert.equal(lines[0], "delete ConfigMap a");
    assert.match(lines[1] ?? "", new RegExp(`^keep Namespace ${namespace}: deleting it would delete everything in it`));
  });
});
