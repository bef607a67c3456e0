import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { JsonObject } from "../../lib/model/json.ts";
import { defaultPrevention, isBreakGlassAnnotation, isPreventionRefusal } from "../../lib/model/prevention.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { writerIdentities } from "../../lib/plan/prevent-identity.ts";
import { type PreventedApplication, placesIn } from "../../lib/plan/prevent-places.ts";
import { placeOf, preventionManifests } from "../../lib/plan/prevent-policy.ts";
import { anApplication } from "../contracts/rows.ts";

const shop: PreventedApplication = { name: "shop", place: "https://github.com/acme/shop.git", whole: true, scaled: [] };
const request = {
  installation: "0123456789",
  applications: [shop],
  writers: [{ by: "username", username: "driftless" }],
  settings: defaultPrevention,
} as const;

const names = (manifests: readonly Manifest[]) => manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
const specOf = (manifest: Manifest | undefined) =>
  manifest?.["spec"] as JsonObject & {
    readonly variables: readonly { readonly name: string; readonly expression: string }[];
    readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
  };
const variable = (manifest: Manifest | undefined, name: string) =>
  specOf(manifest).variables.find((one) => one.name === name)?.expression;
const condition = (manifest: Manifest | undefined, name: string) =>
  specOf(manifest).matchConditions.find((one) => one.name === name)?.expression;

describe("the policies of prevention", () => {
  test("are none for no application, one for objects, and one for scales where there are any", () => {
    assert.deepEqual(preventionManifests({ ...request, applications: [] }), []);
    assert.deepEqual(names(preventionManifests(request)), [
      "ValidatingAdmissionPolicy driftless-prevent-0123456789",
      "ValidatingAdmissionPolicyBinding driftless-prevent-0123456789",
    ]);
    const applications = [{ ...shop, scaled: ["deployments.apps/shop/web"] }];
    assert.deepEqual(names(preventionManifests({ ...request, applications })), [
      "ValidatingAdmissionPolicy driftless-prevent-0123456789",
      "ValidatingAdmissionPolicyBinding driftless-prevent-0123456789",
      "ValidatingAdmissionPolicy driftless-prevent-0123456789-scale",
      "ValidatingAdmissionPolicyBinding driftless-prevent-0123456789-scale",
    ]);
  });

  test("are the same in whatever order applications and objects come", () => {
    const one = { ...shop, scaled: ["deployments.apps/shop/web", "statefulsets.apps/shop/db"] };
    const two = { ...shop, name: "blog", whole: false };
    const turned = { ...one, scaled: one.scaled.toReversed() };
    assert.deepEqual(
      preventionManifests({ ...request, applications: [one, two] }),
      preventionManifests({ ...request, applications: [two, turned] }),
    );
  });

  test("let through when they fail, and refuse and record when they do not", () => {
    const [policy, binding] = preventionManifests(request);
    assert.equal(specOf(policy)["failurePolicy"], "Ignore");
    assert.deepEqual(binding?.["spec"], {
      policyName: "driftless-prevent-0123456789",
      validationActions: ["Deny", "Audit"],
    });
  });

  test("name applications and places as CEL reads them", () => {
    const applications = [
      shop,
      { ...shop, name: "blog", place: 'a "quoted"\npath\\', whole: false },
      { ...shop, name: "wiki", place: "x".repeat(400) },
    ];
    const [policy] = preventionManifests({ ...request, applications });
    assert.equal(variable(policy, "single1"), '{"blog": "a \\"quoted\\" path\\\\"}');
    assert.equal(variable(policy, "whole1"), `{"shop": "https://github.com/acme/shop.git", "wiki": "${"x".repeat(299)}…"}`);
    assert.equal(
      variable(policy, "place"),
      'variables.application in variables.whole1 ? variables.whole1[variables.application] : variables.application in variables.single1 ? variables.single1[variables.application] : "its repository"',
    );
  });

  test("know the scaled objects by name", () => {
    const applications = [{ ...shop, scaled: ["statefulsets.apps/shop/db", "deployments.apps/shop/web"] }];
    const policy = preventionManifests({ ...request, applications })[2];
    assert.equal(variable(policy, "scaled1"), '{"deployments.apps/shop/web": "shop", "statefulsets.apps/shop/db": "shop"}');
  });

  test("name those who get through", () => {
    const writers = [
      { by: "username", username: "driftless" },
      { by: "role", prefix: "arn:aws:sts::111122223333:assumed-role/sync/" },
      { by: "canonicalArn", arn: "arn:aws:iam::111122223333:role/sync" },
    ] as const;
    const settings = { allow: { users: ["a"], groups: ["b", "c"] }, breakGlassGroups: ["oncall"] };
    const [policy] = preventionManifests({ ...request, writers, settings });
    assert.equal(
      condition(policy, "not-driftless"),
      '!(request.userInfo.?extra[?"canonicalArn"].orValue([]).exists(arn, arn in ["arn:aws:iam::111122223333:role/sync"])' +
        ' || request.userInfo.username in ["driftless"]' +
        ' || request.userInfo.username.startsWith("arn:aws:sts::111122223333:assumed-role/sync/"))',
    );
    assert.equal(
      condition(policy, "not-allowed"),
      '!(request.userInfo.username in ["a"] || request.userInfo.?groups.orValue([]).exists(g, g in ["b", "c"]))',
    );
    assert.equal(
      variable(policy, "breakGlass"),
      'request.userInfo.username in [] || request.userInfo.?groups.orValue([]).exists(g, g in ["oncall"])',
    );
  });

  test("keep every expression below what CEL parses, and every application in exactly one map", () => {
    const application = fc.record({
      place: fc.string({ maxLength: 400 }),
      whole: fc.boolean(),
      scaled: fc.array(fc.constant("deployments.apps/a-namespace-of-some-length/a-name-of-some-length"), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(application, { maxLength: 1500 }), (drawn) => {
        const applications = drawn.map((one, index) => ({ ...one, name: `application-${index}` }));
        const parts = placesIn(applications);
        const expressions = parts.flatMap(({ variables, scales }) =>
          [...variables, ...scales].map(({ expression }) => expression),
        );
        for (const expression of expressions) assert.ok(expression.length <= 62_000, String(expression.length));
        const maps = parts.flatMap(({ variables }) => variables.map(({ expression }) => expression));
        const found = maps.flatMap((map) => [...map.matchAll(/(?:\{|, )"(application-\d+)": /g)].map(([, name]) => name));
        assert.deepEqual(new Set(found), new Set(applications.map(({ name }) => name)));
        assert.equal(found.length, applications.length);
      }),
      { numRuns: 20 },
    );
  });
});

describe("the place of changes", () => {
  const git = { kind: "git", repository: "https://github.com/acme/shop.git", targetRevision: "main" } as const;
  const chart = {
    kind: "chart",
    chart: { repository: "oci://registry.example/charts", name: "web", version: "1.0.0", digest: "sha256:0" },
  } as const;
  for (const { sources, place } of [
    { sources: [{ ...git, path: "apps/shop" }], place: "https://github.com/acme/shop.git, path apps/shop, branch main" },
    { sources: [{ ...git, path: "" }], place: "https://github.com/acme/shop.git, branch main" },
    { sources: [chart], place: "chart web of oci://registry.example/charts" },
    { sources: [chart, { ...git, ref: "values" }], place: "chart web of oci://registry.example/charts and 1 more" },
    { sources: [chart, { ...git, path: "a" }], place: "https://github.com/acme/shop.git, path a, branch main and 1 more" },
  ]) {
    test(place, () => assert.equal(placeOf(anApplication({ sources })), place));
  }
});

describe("who Driftless is", () => {
  const sync = "arn:aws:iam::111122223333:role/paths/go/driftless-sync";
  const sweep = "arn:aws:sts::111122223333:assumed-role/driftless-sweep/session";
  const canonical = { canonicalArn: ["arn:aws:iam::111122223333:role/driftless-sweep"] };
  for (const { title, self, roles, expected } of [
    {
      title: "on EKS the role that syncs, without its path",
      self: { username: "driftless:session", extra: canonical },
      roles: [sync],
      expected: [{ by: "canonicalArn", arn: "arn:aws:iam::111122223333:role/driftless-sync" }],
    },
    {
      title: "on EKS the one who asks where no role is named",
      self: { username: sweep, extra: canonical },
      roles: [],
      expected: [{ by: "canonicalArn", arn: "arn:aws:iam::111122223333:role/driftless-sweep" }],
    },
    {
      title: "the session's prefix where only the user name tells the role",
      self: { username: sweep, extra: {} },
      roles: [sync],
      expected: [{ by: "role", prefix: "arn:aws:sts::111122223333:assumed-role/driftless-sync/" }],
    },
    {
      title: "its own prefix, whatever the session",
      self: { username: sweep, extra: {} },
      roles: [],
      expected: [{ by: "role", prefix: "arn:aws:sts::111122223333:assumed-role/driftless-sweep/" }],
    },
    {
      title: "the user of a kubeconfig",
      self: { username: "driftless", extra: {} },
      roles: [],
      expected: [{ by: "username", username: "driftless" }],
    },
    {
      title: "nobody knows where the role that syncs is another and users have names of their own",
      self: { username: "driftless", extra: {} },
      roles: [sync],
      expected: "the user driftless says nothing of its IAM role, so the role that syncs cannot be told from strangers",
    },
    {
      title: "nobody knows where the API server does not",
      self: { username: "system:anonymous", extra: {} },
      roles: [],
      expected: "the API server does not know Driftless",
    },
  ]) {
    test(title, () => assert.deepEqual(writerIdentities({ self, roles }), expected));
  }
});

test("the audit log tells break-glass edits and refusals by our policies from others'", () => {
  assert.ok(isBreakGlassAnnotation("driftless-prevent-0123456789/break-glass"));
  assert.ok(isBreakGlassAnnotation("driftless-prevent-0123456789-scale/break-glass"));
  assert.ok(!isBreakGlassAnnotation("another-policy/break-glass"));
  assert.ok(!isBreakGlassAnnotation("driftless-prevent-0123456789/other"));
  const refusal = "ValidatingAdmissionPolicy 'driftless-prevent-0123456789' with binding 'x' denied request: no";
  assert.ok(isPreventionRefusal(`configmaps "a" is forbidden: ${refusal}`));
  assert.ok(!isPreventionRefusal("ValidatingAdmissionPolicy 'another' with binding 'x' denied request: no"));
});
