import assert from "node:assert/strict";
import { test } from "node:test";
import { classifyRefusal, type RefusalKind } from "../../lib/cluster/classify.ts";

interface Row {
  readonly what: string;
  readonly status: number;
  readonly body: object | string;
  readonly kind: RefusalKind;
  readonly retryable: boolean;
}

const typo =
  "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema";
const base64 =
  "failed to convert new object (/a; /v1, Kind=Secret) to proper version: unable to convert unstructured object to /v1";
const fieldConflict = { reason: "FieldManagerConflict", message: 'conflict with "hpa" using apps/v1', field: ".spec.replicas" };

const table: readonly Row[] = [
  { what: "a misspelt field, which comes as 500", status: 500, body: { message: typo }, kind: "invalid", retryable: false },
  { what: "bad base64, which comes as 500", status: 500, body: { message: base64 }, kind: "invalid", retryable: false },
  {
    what: "an object that cannot be converted, which comes as 500",
    status: 500,
    body: { message: "unable to convert unstructured object to apps/v1, Kind=Deployment" },
    kind: "invalid",
    retryable: false,
  },
  {
    what: "a webhook that does not answer",
    status: 500,
    body: { message: 'Internal error occurred: failed calling webhook "x"', reason: "InternalError" },
    kind: "overloaded",
    retryable: true,
  },
  {
    what: "a value that validation refuses",
    status: 422,
    body: { reason: "Invalid", message: "spec.selector: Required value" },
    kind: "invalid",
    retryable: false,
  },
  {
    what: "an object that is too large for the store, which comes as 500",
    status: 500,
    body: { message: "etcdserver: request is too large" },
    kind: "invalid",
    retryable: false,
  },
  {
    what: "an object that is too large for the way to the store, which comes as 500",
    status: 500,
    body: {
      message: "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2097668 vs. 2097152)",
    },
    kind: "invalid",
    retryable: false,
  },
  { what: "an object that is too large", status: 413, body: "too large", kind: "invalid", retryable: false },
  {
    what: "fields of other managers",
    status: 409,
    body: { reason: "Conflict", message: "Apply failed with 1 conflict", details: { causes: [fieldConflict] } },
    kind: "field-conflict",
    retryable: false,
  },
  {
    what: "an object that changed in between",
    status: 409,
    body: { reason: "Conflict", message: "the object has been modified" },
    kind: "conflict",
    retryable: true,
  },
  {
    what: "a namespace that is being deleted",
    status: 403,
    body: { reason: "Forbidden", details: { causes: [{ reason: "NamespaceTerminating" }] } },
    kind: "terminating",
    retryable: true,
  },
  {
    what: "a namespace without its own service account yet",
    status: 403,
    body: {
      reason: "Forbidden",
      message: 'pods "a" is forbidden: error looking up service account shop/default: serviceaccount "default" not found',
    },
    kind: "too-early",
    retryable: true,
  },
  {
    what: "a service account that somebody forgot",
    status: 403,
    body: {
      reason: "Forbidden",
      message: 'pods "a" is forbidden: error looking up service account shop/web: serviceaccount "web" not found',
    },
    kind: "forbidden",
    retryable: false,
  },
  { what: "a missing right", status: 403, body: { reason: "Forbidden" }, kind: "forbidden", retryable: false },
  { what: "an unknown identity", status: 401, body: { reason: "Unauthorized" }, kind: "unauthorized", retryable: false },
  { what: "a missing object", status: 404, body: { reason: "NotFound" }, kind: "not-found", retryable: false },
  { what: "a path that is not served", status: 404, body: "404 page not found\n", kind: "not-served", retryable: true },
  { what: "an expired continue token", status: 410, body: { reason: "Expired" }, kind: "expired", retryable: true },
  { what: "too many requests", status: 429, body: { reason: "TooManyRequests" }, kind: "overloaded", retryable: true },
  { what: "a proxy's error page", status: 502, body: "<html>Bad Gateway</html>", kind: "overloaded", retryable: true },
  { what: "an empty answer", status: 503, body: "", kind: "overloaded", retryable: true },
];

for (const { what, status, body, kind, retryable } of table) {
  test(`${what} is "${kind}", ${retryable ? "worth another try" : "permanent"}`, () => {
    const answer =
      typeof body === "string"
        ? { status, contentType: "text/plain; charset=utf-8", body }
        : { status, contentType: "application/json", body: JSON.stringify({ kind: "Status", status: "Failure", ...body }) };
    const refusal = classifyRefusal(answer);
    assert.deepEqual({ kind: refusal.kind, retryable: refusal.retryable }, { kind, retryable });
  });
}

test("a field conflict names each manager and field", () => {
  const causes = [
    fieldConflict,
    { reason: "FieldManagerConflict", message: 'conflict with "a \\"b\\"" with subresource "status" using v1', field: ".data.k" },
    { reason: "SomethingElse", message: "no", field: ".x" },
  ];
  const body = JSON.stringify({ kind: "Status", reason: "Conflict", details: { causes } });
  assert.deepEqual(classifyRefusal({ status: 409, contentType: "application/json", body }).conflicts, [
    { manager: "hpa", field: ".spec.replicas" },
    { manager: 'a "b"', field: ".data.k" },
  ]);
});

/** The server's words, each from the refusal of a kind that is named. */
const immutables: readonly { readonly kind: string; readonly message: string; readonly words: string }[] = [
  { kind: "Deployment", message: 'Invalid value: {"matchLabels":{"app":"b"}}: field is immutable', words: "field is immutable" },
  {
    kind: "StatefulSet",
    message: "Forbidden: updates to statefulset spec for fields other than 'replicas' and 'template' are forbidden",
    words: "updates to statefulset spec for fields other than 'replicas' and 'template' are forbidden",
  },
  {
    kind: "Pod",
    message: "Forbidden: pod updates may not change fields other than `spec.tolerations`\n  core.PodSpec{\n-  Env: nil,\n",
    words: "pod updates may not change fields other than `spec.tolerations`",
  },
  { kind: "Service", message: 'Invalid value: ["None"]: may not change once set', words: "may not change once set" },
  {
    kind: "ConfigMap",
    message: "Forbidden: field is immutable when `immutable` is set",
    words: "field is immutable when `immutable` is set",
  },
  {
    kind: "RoleBinding",
    message: 'Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef',
    words: "cannot change roleRef",
  },
  {
    kind: "StorageClass",
    message: "Forbidden: updates to parameters are forbidden.",
    words: "updates to parameters are forbidden.",
  },
  {
    kind: "PersistentVolumeClaim",
    message: "Forbidden: spec is immutable after creation except resources.requests for bound claims\n@@ -10,7 +10,7 @@\n",
    words: "spec is immutable after creation except resources.requests for bound claims",
  },
  { kind: "PriorityClass", message: "Forbidden: may not be changed in an update.", words: "may not be changed in an update." },
  { kind: "a custom resource", message: 'Invalid value: "2": Value is immutable', words: "Value is immutable" },
  {
    kind: "a custom resource without words",
    message: 'Invalid value: "2": failed rule: self == oldSelf',
    words: "failed rule: self == oldSelf",
  },
];

const invalid = (causes: readonly object[]) =>
  classifyRefusal({
    status: 422,
    contentType: "application/json",
    body: JSON.stringify({ kind: "Status", reason: "Invalid", details: { causes } }),
  });

for (const { kind, message, words } of immutables) {
  test(`F7 a field of ${kind} that cannot be changed is named, with the server's words and without the value`, () => {
    assert.deepEqual(invalid([{ reason: "FieldValueInvalid", message, field: "spec.x" }]).immutable, [
      { field: "spec.x", words },
    ]);
  });
}

test("F7 what is refused for another fault too, or only speaks of the immutable, is not taken for immutable", () => {
  const selector = { message: 'Invalid value: {"a":"b"}: field is immutable', field: "spec.selector" };
  const replicas = { message: "Invalid value: -1: must be greater than or equal to 0", field: "spec.replicas" };
  const quoted = { message: 'Invalid value: "field is immutable": must be a number', field: "spec.x" };
  assert.deepEqual(invalid([selector, replicas]).immutable, []);
  assert.deepEqual(invalid([quoted]).immutable, []);
  assert.deepEqual(invalid([]).immutable, []);
});

test("an answer without words says at least its status", () => {
  assert.equal(classifyRefusal({ status: 503, contentType: "", body: " " }).message, "HTTP 503 without a message");
  assert.equal(classifyRefusal({ status: 500, contentType: "application/json", body: "{" }).message, "{");
});
