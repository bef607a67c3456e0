import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { packagedService } from "./artefacts.ts";
import { functionsOf, type Template } from "./template.ts";

const template = parse(readFileSync(path.join(import.meta.dirname, "..", "..", "infra", "audit.yml"), "utf8")) as Template & {
  readonly Parameters: Readonly<Record<string, { readonly Default?: string }>>;
};
const { Permission, Subscription } = template.Resources;

/** The parts of a pattern, with the default of each parameter in its place. */
function patternOf(value: unknown): string {
  const [separator, parts] = (value as { readonly "Fn::Join": readonly [string, readonly unknown[]] })["Fn::Join"];
  const texts = parts.map((part) => (typeof part === "string" ? part : (part as { readonly "Fn::Sub": string })["Fn::Sub"]));
  return texts.join(separator).replaceAll(/\$\{(\w+)\}/g, (_, name: string) => template.Parameters[name]?.Default ?? "");
}

test("the subscription of a cluster's audit log hands on writes alone, and none of Kubernetes' own parts or of Driftless", () => {
  const pattern = patternOf(Subscription?.Properties["FilterPattern"]);
  // CloudWatch Logs takes no longer one.
  assert.ok(pattern.length <= 1024, `${pattern.length} characters`);
  const verbs = [...pattern.matchAll(/\$\.verb = "(\w+)"/g)].map(([, verb]) => verb);
  assert.deepEqual(verbs, ["create", "update", "patch", "delete", "deletecollection"]);
  assert.match(pattern, /^\{ \$\.stage = "ResponseComplete" && \(/);
  assert.equal(pattern.split("(").length, pattern.split(")").length);
  for (const left of ['!= "system:*"', '!= "eks:*"', '!= "*:assumed-role/driftless-prod-*"', '!= "status"', '!= "leases"']) {
    assert.ok(pattern.includes(left), left);
  }
});

test("only the log group of that cluster may call the function, and it may before it is subscribed", () => {
  assert.equal(Permission?.Properties["Principal"], "logs.amazonaws.com");
  assert.deepEqual(Permission?.Properties["SourceArn"], {
    "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/eks/${ClusterName}/cluster:*",
  });
  assert.equal((Subscription as { readonly DependsOn?: string } | undefined)?.DependsOn, "Permission");
  assert.deepEqual(Subscription?.Properties["LogGroupName"], { "Fn::Sub": "/aws/eks/${ClusterName}/cluster" });
});

test("five batches are read at once, and one that fails comes again twice", async () => {
  const audit = functionsOf((await packagedService()).template).get("audit");
  assert.deepEqual(audit?.["ReservedConcurrentExecutions"], { "Fn::If": ["ReserveConcurrency", 5, { Ref: "AWS::NoValue" }] });
  assert.equal(audit?.Timeout, 60);
});
