import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { projectUser } from "../../lib/projects/identity.ts";
import { callApi } from "../control-plane/api.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";

interface Subject {
  readonly kind: string;
  readonly name: string;
}

interface RbacObject {
  readonly kind: "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding";
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly { readonly verbs: readonly string[]; readonly resourceNames?: readonly string[] }[];
  readonly subjects?: readonly Subject[];
}

const folder = path.join(import.meta.dirname, "..", "..", "infra", "rbac");

function objectsOf(file: string, namespace = "shop"): readonly RbacObject[] {
  const text = readFileSync(path.join(folder, file), "utf8").replaceAll("namespace: shop", `namespace: ${namespace}`);
  return parseAllDocuments(text).map((document) => document.toJS() as RbacObject);
}

/** Somebody who asks for something. */
interface Ask {
  readonly user?: string;
  readonly groups: readonly string[];
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

suite("the files of infra/rbac, in a real API server", () => {
  let namespace: string;
  let other: string;
  const applied: string[] = [];

  async function call(method: string, at: string, body?: object): Promise<{ readonly status: number; readonly text: string }> {
    const { server, ca, tokens } = await sharedControlPlane();
    const contentType = method === "PATCH" ? "application/apply-patch+yaml" : "application/json";
    return callApi({ server, ca, token: tokens.admin }, at, { method, contentType, ...(body === undefined ? {} : { body }) });
  }

  async function apply(file: string): Promise<void> {
    for (const object of objectsOf(file, namespace)) {
      const inside = object.metadata.namespace === undefined ? "" : `namespaces/${object.metadata.namespace}/`;
      const at = `/apis/rbac.authorization.k8s.io/v1/${inside}${object.kind.toLowerCase()}s/${object.metadata.name}`;
      const { status, text } = await call("PATCH", `${at}?fieldManager=administrator&force=true&fieldValidation=Strict`, object);
      assert.ok(status === 200 || status === 201, `${file}: ${text}`);
      applied.push(at);
    }
  }

  async function remove(): Promise<void> {
    for (const at of applied.splice(0)) await call("DELETE", at);
  }

  /** What RBAC says, by SubjectAccessReview. */
  async function may({
    user = "somebody",
    groups,
    verb,
    group = "",
    resource,
    namespace: inside = "",
    name = "",
  }: Ask): Promise<boolean> {
    const [plural = "", subresource = ""] = resource.split("/");
    const spec = {
      user,
      groups: ["system:authenticated", ...groups],
      resourceAttributes: { verb, group, resource: plural, subresource, namespace: inside, name },
    };
    const body = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
    const { status, text } = await call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body);
    assert.equal(status, 201, text);
    return (JSON.parse(text) as { readonly status: { readonly allowed: boolean } }).status.allowed;
  }

  before(async () => {
    namespace = await testNamespace("rbac");
    other = await testNamespace("rbac-other");
  });
  after(remove);

  test("who only reads lists and gets everywhere, logs of pods too, and changes nothing, not even by dry run", async () => {
    await apply("read.yaml");
    try {
      for (const group of ["sync", "sweep", "preview", "audit"]) {
        const groups = [`driftless:${group}`];
        for (const resource of ["configmaps", "secrets", "namespaces", "pods/log"])
          assert.ok(await may({ groups, verb: "get", resource, namespace }), `${group} ${resource}`);
        assert.ok(await may({ groups, verb: "list", group: "apps", resource: "deployments" }));
        assert.ok(await may({ groups, verb: "list", group: "apiextensions.k8s.io", resource: "customresourcedefinitions" }));
        for (const verb of ["create", "patch", "update", "delete", "deletecollection", "impersonate"])
          assert.ok(!(await may({ groups, verb, resource: "configmaps", namespace })), `${group} ${verb}`);
      }
      assert.ok(!(await may({ groups: ["driftless:plan"], verb: "list", resource: "configmaps", namespace })));
    } finally {
      await remove();
    }
  });

  test("who applies writes what applications are made of, and grants no rights to anybody", async () => {
    await apply("apply.yaml");
    try {
      const groups = ["driftless:sync"];
      for (const verb of ["create", "patch", "delete"]) {
        assert.ok(await may({ groups, verb, group: "apps", resource: "deployments", namespace }), verb);
        for (const resource of ["roles", "rolebindings", "clusterroles", "clusterrolebindings"])
          assert.ok(
            !(await may({ groups, verb, group: "rbac.authorization.k8s.io", resource, namespace })),
            `${verb} ${resource}`,
          );
      }
      assert.ok(!(await may({ groups, verb: "deletecollection", resource: "configmaps", namespace })));
      assert.ok(!(await may({ groups: ["driftless:plan"], verb: "patch", resource: "configmaps", namespace })));
    } finally {
      await remove();
    }
  });

  test("who impersonates may come as the named project, as nobody else, and may nothing himself", async () => {
    await apply("impersonate.yaml");
    try {
      const { username, groups: projectGroups } = projectUser("shop");
      const groups = ["driftless:sync"];
      const as = (resource: string, name: string) => may({ groups, verb: "impersonate", resource, name });
      assert.ok(await as("users", username));
      for (const name of projectGroups) assert.ok(await as("groups", name), name);
      for (const name of [projectUser("web").username, "system:admin", "admin", ""]) assert.ok(!(await as("users", name)), name);
      for (const name of [...projectUser("web").groups, "system:masters", ""]) assert.ok(!(await as("groups", name)), name);
      assert.ok(!(await as("serviceaccounts", "default")));
      for (const verb of ["get", "list", "create", "patch", "delete"])
        assert.ok(!(await may({ groups, verb, resource: "configmaps", namespace })), verb);
    } finally {
      await remove();
    }
  });

  test("a project has its namespace, and none of another; nothing outside of namespaces", async () => {
    await apply("tenant.yaml");
    try {
      const { username: user, groups } = projectUser("shop");
      for (const verb of ["get", "list", "create", "patch", "delete"]) {
        assert.ok(await may({ user, groups, verb, group: "apps", resource: "deployments", namespace }), verb);
        assert.ok(!(await may({ user, groups, verb, group: "apps", resource: "deployments", namespace: other })), verb);
        assert.ok(!(await may({ user, groups, verb, resource: "namespaces", name: namespace })), verb);
      }
      const web = projectUser("web");
      assert.ok(!(await may({ user: web.username, groups: web.groups, verb: "get", resource: "configmaps", namespace })));
    } finally {
      await remove();
    }
  });

  test("only the sweep writes admission policies", async () => {
    await apply("prevention.yaml");
    try {
      const policies = { verb: "create", group: "admissionregistration.k8s.io", resource: "validatingadmissionpolicies" };
      assert.ok(await may({ ...policies, groups: ["driftless:sweep"] }));
      assert.ok(!(await may({ ...policies, groups: ["driftless:sync"] })));
      assert.ok(!(await may({ ...policies, resource: "validatingwebhookconfigurations", groups: ["driftless:sweep"] })));
    } finally {
      await remove();
    }
  });
});

test("rights are bound to groups of Driftless alone, and no verb stands for all", () => {
  const files = ["read.yaml", "apply.yaml", "impersonate.yaml", "tenant.yaml", "prevention.yaml"];
  for (const object of files.flatMap((file) => objectsOf(file))) {
    for (const { kind, name } of object.subjects ?? []) assert.match(`${kind} ${name}`, /^Group driftless:[a-z]+(:[a-z]+)?$/);
    for (const { verbs, resourceNames } of object.rules ?? []) {
      assert.ok(!verbs.includes("*"), object.metadata.name);
      if (verbs.includes("impersonate")) assert.ok((resourceNames ?? []).length > 0, object.metadata.name);
    }
  }
});
