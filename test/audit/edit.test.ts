import assert from "node:assert/strict";
import { test } from "node:test";
import { readEdit } from "../../lib/audit/edit.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import { anEvent, aRoleUser, identities } from "./events.ts";

const read = (change: JsonObject = {}) => readEdit(anEvent(change), identities);

const objectRef = { resource: "deployments", namespace: "shop", name: "web", apiGroup: "apps", apiVersion: "v1" };

test("an edit says what was edited, by whom, from where, by which means and when", () => {
  assert.deepEqual(read(), {
    id: "5f0d6a1e-7c1a-4c55-9c5e-0f2f0d3f7a11",
    verb: "patch",
    group: "apps",
    version: "v1",
    resource: "deployments",
    subresource: "",
    namespace: "shop",
    name: "web",
    user: "ada@example.org",
    sourceIp: "198.51.100.7",
    userAgent: "kubectl/v1.35.1 (linux/amd64) kubernetes/3f2c1b4",
    manager: "kubectl-set",
    at: "2025-03-01T11:58:00.412Z",
    answeredAt: "2025-03-01T11:58:00.431Z",
    isApply: false,
    breakGlass: false,
    refusal: "",
  });
});

/** What an event comes to: a reason, or some of what the edit says. */
const outcomes: readonly (readonly [title: string, change: JsonObject, outcome: unknown])[] = [
  ["a read is no edit", { verb: "get" }, "reads"],
  ["a request that has only come in is no edit", { stage: "RequestReceived" }, "reads"],
  ["a request without an object is no edit", { objectRef: null }, "reads"],
  ["a dry run is no edit", { requestURI: "/apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&fieldManager=x" }, "reads"],
  ["status is nobody's desired state", { objectRef: { ...objectRef, subresource: "status" } }, "reads"],
  [
    "an eviction is no edit of a desired field",
    { objectRef: { ...objectRef, resource: "pods", subresource: "eviction" } },
    "reads",
  ],
  ["a conflict changed nothing", { responseStatus: { code: 409, status: "Failure" } }, "refused"],
  [
    "what RBAC forbids was no edit",
    { responseStatus: { code: 403, message: 'deployments.apps "web" is forbidden: User "ada"' } },
    "refused",
  ],
  ["an event without an answer changed nothing that is known", { responseStatus: null }, "refused"],
  ["an event without a time is malformed", { requestReceivedTimestamp: "yesterday" }, "malformed"],
  ["an event without a user is malformed", { user: null }, "malformed"],
  ["our role by its session", { user: aRoleUser("driftless-prod-SyncRole-1A2B") }, "own"],
  [
    "our role under the name that its access entry gives it",
    { user: aRoleUser("driftless-prod-SyncRole-1A2B", { username: "gitops" }) },
    "own",
  ],
  ["our user of a kubeconfig", { user: { username: "driftless" } }, "own"],
  [
    "our own writes as the user of a project",
    { user: { username: "driftless" }, impersonatedUser: { username: "driftless:team-a" } },
    "own",
  ],
  [
    "a controller of the cluster that acts for somebody",
    { user: { username: "eks:addon-manager" }, impersonatedUser: { username: "ada" } },
    "cluster",
  ],
  ["the controller manager", { user: { username: "system:kube-controller-manager" } }, "cluster"],
  ["the autoscaler", { user: { username: "system:serviceaccount:kube-system:horizontal-pod-autoscaler" } }, "cluster"],
  ["a node", { user: { username: "system:node:ip-10-0-0-1.eu-central-1.compute.internal" } }, "cluster"],
  ["what EKS itself does", { user: { username: "eks:addon-manager" } }, "cluster"],
];

for (const [title, change, outcome] of outcomes) {
  test(`${title}: ${JSON.stringify(outcome)}`, () => assert.equal(read(change), outcome));
}

const told: readonly (readonly [title: string, change: JsonObject, says: JsonObject])[] = [
  [
    "an edit through the subresource scale is one of its object",
    { objectRef: { ...objectRef, subresource: "scale" } },
    { name: "web", resource: "deployments", subresource: "scale" },
  ],
  [
    "whoever is impersonated is the one who acted, and the other is named too",
    { user: { username: "ci" }, impersonatedUser: { username: "ada" } },
    { user: "ada (impersonated by ci)" },
  ],
  [
    "a person who acts as Driftless is a person",
    { user: { username: "ada" }, impersonatedUser: { username: "driftless" } },
    { user: "driftless (impersonated by ada)" },
  ],
  [
    "a person who acts as the user of a project is a person",
    { user: { username: "ada" }, impersonatedUser: { username: "driftless:team-a" } },
    { user: "driftless:team-a (impersonated by ada)" },
  ],
  [
    "a person who acts for a part of the cluster is a person",
    { user: { username: "ada" }, impersonatedUser: { username: "system:kube-controller-manager" } },
    { user: "system:kube-controller-manager (impersonated by ada)" },
  ],
  [
    "what is done for somebody with our identity, and not as a project, is told",
    { user: { username: "driftless" }, impersonatedUser: { username: "ada" } },
    { user: "ada (impersonated by driftless)" },
  ],
  [
    "a user agent or a field manager that says driftless proves nothing",
    { userAgent: "driftless/1.0", requestURI: "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=driftless&force=true" },
    { user: "ada@example.org", manager: "driftless", isApply: true },
  ],
  [
    "another role with the name of ours in its session proves nothing",
    { user: aRoleUser("someone", { username: "arn:aws:sts::111122223333:assumed-role/someone/driftless-prod-SyncRole-1A2B" }) },
    { user: "arn:aws:sts::111122223333:assumed-role/someone/driftless-prod-SyncRole-1A2B" },
  ],
  [
    "a role of our name in another account is not ours",
    { user: { username: "arn:aws:sts::999999999999:assumed-role/driftless-prod-SyncRole-1A2B/1" } },
    { user: "arn:aws:sts::999999999999:assumed-role/driftless-prod-SyncRole-1A2B/1" },
  ],
  [
    "a service account of another namespace is somebody's tool",
    { user: { username: "system:serviceaccount:ci:deployer" } },
    { user: "system:serviceaccount:ci:deployer" },
  ],
  [
    "without a field manager the server takes the user agent up to the slash",
    { requestURI: "/apis/apps/v1/namespaces/shop/deployments/web", userAgent: "Mozilla/5.0 (X11)" },
    { manager: "Mozilla" },
  ],
  [
    "the namespace that is deleted is an object without a namespace",
    {
      verb: "delete",
      requestURI: "/api/v1/namespaces/shop",
      objectRef: { resource: "namespaces", namespace: "shop", name: "shop", apiVersion: "v1" },
    },
    { verb: "delete", group: "", resource: "namespaces", namespace: "", name: "shop" },
  ],
  [
    "a deleted collection has no name",
    { verb: "deletecollection", objectRef: { resource: "configmaps", namespace: "shop", apiVersion: "v1" } },
    { verb: "deletecollection", resource: "configmaps", namespace: "shop", name: "" },
  ],
  [
    "an edit that our policy let through in an emergency says so",
    { annotations: { "driftless-prevent-prod/break-glass": "ada@example.org" } },
    { breakGlass: true, refusal: "" },
  ],
];

for (const [title, change, says] of told) {
  test(title, () => {
    const edit = read(change);
    assert.ok(typeof edit !== "string", JSON.stringify(edit));
    const stated = Object.fromEntries(Object.keys(says).map((key) => [key, edit[key as keyof typeof edit]]));
    assert.deepEqual(stated, says);
  });
}

test("an edit that our admission policy refused is told, and another policy's refusal is not", () => {
  const refusedBy = (policy: string) =>
    `deployments.apps "web" is forbidden: ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: no`;
  for (const code of [403, 422]) {
    const message = refusedBy("driftless-prevent-prod");
    const edit = read({ responseStatus: { status: "Failure", reason: "Forbidden", code, message } });
    assert.ok(typeof edit !== "string");
    assert.deepEqual([edit.user, edit.refusal], ["ada@example.org", message]);
  }
  assert.equal(read({ responseStatus: { code: 403, message: refusedBy("require-labels") } }), "refused");
});
