import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Application } from "../../lib/model/application.ts";
import type { Project } from "../../lib/model/project.ts";
import type { ResourceRef } from "../../lib/model/resource.ts";
import { findProject, openProject } from "../../lib/projects/find.ts";
import { projectUser, roleOf } from "../../lib/projects/identity.ts";
import { applicationRefusals, destinationRefusal, objectRefusal, sourceRefusals } from "../../lib/projects/limits.ts";

const shop: Project = {
  name: "shop",
  description: "",
  sourceRepos: ["https://github.com/acme/shop", "https://charts.example.com/*"],
  paths: ["deploy/**"],
  destinations: [
    { cluster: "prod-*", namespace: "shop-*" },
    { cluster: "qa", namespace: "*" },
  ],
  clusterResourceWhitelist: [
    { group: "", kind: "Namespace", name: "*" },
    { group: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "shop-*" },
  ],
  namespaceResourceWhitelist: [{ group: "*", kind: "*", name: "*" }],
  namespaceResourceBlacklist: [
    { group: "", kind: "ResourceQuota", name: "*" },
    { group: "networking.k8s.io", kind: "*", name: "default-*" },
  ],
  identity: "impersonate",
  roles: [],
  syncWindows: [],
  applicationFiles: [],
};

const nothing: Project = {
  ...shop,
  sourceRepos: [],
  paths: [],
  destinations: [],
  clusterResourceWhitelist: [],
  namespaceResourceWhitelist: [],
};

const application = (stated: Partial<Pick<Application, "sources" | "cluster" | "namespace">>): Application =>
  ({
    name: "web",
    project: "shop",
    sources: [{ kind: "git", repository: "https://github.com/acme/shop", targetRevision: "main", path: "deploy/web" }],
    cluster: "prod-eu",
    namespace: "shop-web",
    ...stated,
  }) as Application;

const ref = (kind: string, stated: Partial<ResourceRef> = {}): ResourceRef => ({
  group: "",
  version: "v1",
  kind,
  namespace: "shop-web",
  name: "web",
  ...stated,
});

suite("what a project says of an application", () => {
  test("one within all lists is allowed", () => {
    assert.deepEqual(applicationRefusals(shop, application({})), []);
    assert.deepEqual(applicationRefusals(shop, application({ namespace: "" })), []);
  });

  test("empty lists allow nothing", () => {
    assert.deepEqual(applicationRefusals(nothing, application({})), [
      "project shop does not allow the repository https://github.com/acme/shop: add it to its sourceRepos",
      "project shop does not allow the cluster prod-eu: add it to its destinations",
    ]);
    assert.deepEqual(sourceRefusals({ ...shop, paths: [] }, { repository: "https://github.com/acme/shop", path: "" }), [
      "project shop does not allow the path .: add it to its paths",
    ]);
  });

  test("every source is looked at, charts and lent repositories too, and each refusal is told once", () => {
    const sources: Application["sources"] = [
      { kind: "git", repository: "https://github.com/acme/shop.git", targetRevision: "main", path: "secrets" },
      { kind: "git", repository: "https://github.com/acme/other", targetRevision: "main", ref: "values" },
      { kind: "git", repository: "https://github.com/acme/other", targetRevision: "next", ref: "more" },
      { kind: "chart", chart: { repository: "oci://evil.example/charts", name: "web", version: "1.0.0", digest: "" } },
      { kind: "chart", chart: { repository: "https://charts.example.com/stable", name: "web", version: "1.0.0", digest: "" } },
    ];
    assert.deepEqual(applicationRefusals(shop, application({ sources })), [
      "project shop does not allow the path secrets: add it to its paths",
      "project shop does not allow the repository https://github.com/acme/other: add it to its sourceRepos",
      "project shop does not allow the repository oci://evil.example/charts: add it to its sourceRepos",
    ]);
  });

  test("cluster and namespace have to stand in one destination", () => {
    assert.equal(destinationRefusal(shop, { cluster: "qa", namespace: "billing" }), undefined);
    assert.equal(
      destinationRefusal(shop, { cluster: "prod-eu", namespace: "billing" }),
      "project shop does not allow the namespace billing of cluster prod-eu: add it to its destinations",
    );
    assert.equal(
      destinationRefusal(shop, { cluster: "Prod-eu", namespace: "shop-web" }),
      "project shop does not allow the cluster Prod-eu: add it to its destinations",
    );
  });
});

suite("what a project says of an object", () => {
  const refusal = (object: ResourceRef, namespaced: boolean | undefined): string | undefined =>
    objectRefusal(shop, { cluster: "prod-eu", ref: object, namespaced });

  test("a kind in a namespace: by namespace, whitelist and blacklist", () => {
    assert.equal(refusal(ref("ConfigMap"), true), undefined);
    assert.equal(refusal(ref("ConfigMap"), undefined), undefined);
    const other =
      "ConfigMap billing/web: project shop does not allow the namespace billing of cluster prod-eu: add it to its destinations";
    assert.equal(refusal(ref("ConfigMap", { namespace: "billing" }), true), other);
    assert.equal(refusal(ref("ConfigMap", { namespace: "billing" }), undefined), other);
    assert.equal(
      refusal(ref("ResourceQuota"), true),
      "ResourceQuota shop-web/web: project shop does not allow ResourceQuota: see its namespaceResourceWhitelist and namespaceResourceBlacklist",
    );
    assert.equal(
      refusal(ref("NetworkPolicy", { group: "networking.k8s.io", name: "default-deny" }), true),
      "NetworkPolicy shop-web/default-deny: project shop does not allow NetworkPolicy of networking.k8s.io: see its namespaceResourceWhitelist and namespaceResourceBlacklist",
    );
    assert.equal(refusal(ref("NetworkPolicy", { group: "networking.k8s.io" }), true), undefined);
  });

  test("a kind without a namespace: by its own whitelist, which no wildcard of the other opens", () => {
    const role = ref("ClusterRole", { group: "rbac.authorization.k8s.io", namespace: "" });
    assert.equal(refusal({ ...role, name: "shop-reader" }, false), undefined);
    assert.equal(
      refusal({ ...role, name: "cluster-admin" }, false),
      "ClusterRole cluster-admin: project shop does not allow ClusterRole of rbac.authorization.k8s.io: see its clusterResourceWhitelist",
    );
  });

  test("a namespace that an object of such a kind names by mistake opens nothing", () => {
    const role = ref("ClusterRole", { group: "rbac.authorization.k8s.io", name: "cluster-admin", namespace: "shop-web" });
    assert.match(refusal(role, false) ?? "", /does not allow ClusterRole/);
  });

  test("an object of a kind in namespaces that names none is refused, unless all namespaces are allowed", () => {
    assert.equal(
      refusal(ref("ConfigMap", { namespace: "" }), true),
      "ConfigMap web: project shop does not allow objects without a namespace in cluster prod-eu: add it to its destinations",
    );
    assert.equal(objectRefusal(shop, { cluster: "qa", ref: ref("ConfigMap", { namespace: "" }), namespaced: true }), undefined);
  });

  test("a Namespace has to be on the list of kinds and to be a destination itself, whatever is known of its kind", () => {
    for (const namespaced of [false, undefined, true]) {
      assert.equal(refusal(ref("Namespace", { namespace: "", name: "shop-new" }), namespaced), undefined);
      assert.equal(
        refusal(ref("Namespace", { namespace: "", name: "kube-system" }), namespaced),
        "Namespace kube-system: project shop does not allow the namespace kube-system of cluster prod-eu: add it to its destinations",
      );
      const without = { ...shop, clusterResourceWhitelist: [] };
      const object = ref("Namespace", { namespace: "", name: "shop-new" });
      assert.equal(
        objectRefusal(without, { cluster: "prod-eu", ref: object, namespaced }),
        "Namespace shop-new: project shop does not allow Namespace: see its clusterResourceWhitelist",
      );
    }
  });

  test("where nobody knows yet whether a kind has namespaces, only what is refused either way is refused", () => {
    assert.equal(refusal(ref("ClusterRole", { group: "rbac.authorization.k8s.io", name: "any" }), undefined), undefined);
    assert.match(
      objectRefusal(nothing, { cluster: "prod-eu", ref: ref("ConfigMap"), namespaced: undefined }) ?? "",
      /does not allow the cluster prod-eu/,
    );
  });

  test("kinds and groups are held against each other in their own letters", () => {
    assert.equal(refusal(ref("resourcequota"), true), undefined);
    assert.match(refusal(ref("ResourceQuota"), true) ?? "", /does not allow ResourceQuota/);
  });
});

suite("projects", () => {
  test("where none is stated, default allows everything by Driftless' own identity, and no other name means anything", () => {
    assert.equal(findProject({ projects: [] }, "default"), openProject);
    assert.equal(findProject({ projects: [] }, "shop"), undefined);
    assert.equal(findProject({ projects: [] }, "__proto__"), undefined);
    assert.deepEqual(applicationRefusals(openProject, application({ cluster: "any", namespace: "any" })), []);
    for (const namespaced of [true, false, undefined]) {
      assert.equal(objectRefusal(openProject, { cluster: "any", ref: ref("Any", { namespace: "" }), namespaced }), undefined);
      assert.equal(objectRefusal(openProject, { cluster: "any", ref: ref("Any"), namespaced }), undefined);
    }
  });

  test("where one is stated, only those that are stated mean anything, default too", () => {
    assert.equal(findProject({ projects: [shop] }, "shop"), shop);
    assert.equal(findProject({ projects: [shop] }, "default"), undefined);
    assert.equal(findProject({ projects: [shop] }, "Shop"), undefined);
  });

  test("a project that impersonates is a user and a group of its own", () => {
    assert.deepEqual(projectUser("shop"), { username: "driftless:shop", groups: ["driftless:project:shop"] });
  });

  test("the first role that fits opens a cluster", () => {
    const roles = [
      { cluster: "prod-eu", arn: "arn:1", externalId: "" },
      { cluster: "prod-*", arn: "arn:2", externalId: "x" },
    ];
    assert.equal(roleOf({ roles }, "prod-eu")?.arn, "arn:1");
    assert.equal(roleOf({ roles }, "prod-us")?.arn, "arn:2");
    assert.equal(roleOf({ roles }, "qa"), undefined);
  });
});
