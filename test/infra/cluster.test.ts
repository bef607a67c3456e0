import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { rightProblems } from "./right-problems.ts";
import { resourceOf, resourcesOf, type Template } from "./template.ts";

const infra = path.join(import.meta.dirname, "..", "..", "infra");
const templateOf = (file: string) =>
  parse(readFileSync(path.join(infra, file), "utf8")) as Template & {
    readonly Parameters: Readonly<Record<string, { readonly AllowedPattern?: string }>>;
  };
const cluster = templateOf("cluster.yml");
const network = templateOf("network.yml");

test("each function comes to a cluster as itself, in a Kubernetes group of its own, under the usual user name", () => {
  const entries = [...resourcesOf(cluster, "AWS::EKS::AccessEntry").values()].map(({ Properties }) => {
    const { PrincipalArn, KubernetesGroups, Type, Username } = Properties;
    return [PrincipalArn, KubernetesGroups, Type, Username];
  });
  assert.deepEqual(entries, [
    ...["Sync", "Sweep", "Plan", "Preview", "Audit"].map((name) => [
      { Ref: `${name}RoleArn` },
      [`driftless:${name.toLowerCase()}`],
      "STANDARD",
      undefined,
    ]),
    [{ "Fn::GetAtt": ["ClusterRole", "Arn"] }, ["driftless:sync"], "STANDARD", undefined],
  ]);
});

test("EKS takes the groups: none begins with what it keeps for itself", () => {
  const groups = [...resourcesOf(cluster, "AWS::EKS::AccessEntry").values()].flatMap(
    ({ Properties }) => Properties["KubernetesGroups"] as readonly string[],
  );
  for (const group of groups) assert.doesNotMatch(group, /^(system|eks|aws|amazon|iam):/);
});

test("the plan function is let in without rights", () => {
  assert.equal(cluster.Resources["PlanEntry"]?.Properties["AccessPolicies"], undefined);
});

test("in another account one role is assumed, by the functions of this installation alone, and describes that one cluster", () => {
  const { Properties } = resourceOf(cluster, "ClusterRole");
  const { Statement } = Properties["AssumeRolePolicyDocument"] as { readonly Statement: readonly unknown[] };
  const optional = (name: string) => ({ "Fn::If": [`Has${name}`, { Ref: `${name}RoleArn` }, { Ref: "AWS::NoValue" }] });
  assert.deepEqual(Statement, [
    {
      Effect: "Allow",
      Principal: {
        AWS: [{ Ref: "SyncRoleArn" }, { Ref: "SweepRoleArn" }, optional("Plan"), optional("Preview"), optional("Audit")],
      },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "sts:ExternalId": { Ref: "InstallationId" } } },
    },
  ]);
  assert.deepEqual(rightProblems(cluster), []);
  for (const [name, { AllowedPattern = "" }] of Object.entries(cluster.Parameters)) {
    if (!name.endsWith("RoleArn")) continue;
    const taken = new RegExp(`^(${AllowedPattern})$`);
    assert.match("arn:aws:iam::123456789012:role/driftless-prod-SyncRole-1A2B", taken, name);
    assert.doesNotMatch("arn:aws:iam::123456789012:role/*", taken, name);
    assert.doesNotMatch("arn:aws:iam::123456789012:root", taken, name);
  }
});

test("a private network has an endpoint for every service that the functions in it call, and lets nobody else in", () => {
  const endpoints = [...resourcesOf(network, "AWS::EC2::VPCEndpoint").values()].map(({ Properties }) => {
    const { "Fn::Sub": name } = Properties["ServiceName"] as { readonly "Fn::Sub": string };
    return [name.split(".").at(-1), Properties["VpcEndpointType"]];
  });
  assert.deepEqual(Object.fromEntries(endpoints), {
    dynamodb: "Gateway",
    eks: "Interface",
    events: "Interface",
    lambda: "Interface",
    secretsmanager: "Interface",
    sts: "Interface",
  });
  assert.equal(resourcesOf(network, "AWS::EC2::NatGateway").size + resourcesOf(network, "AWS::EC2::InternetGateway").size, 0);
  const open = ["FunctionSecurityGroup", "EndpointSecurityGroup", "ClusterRule"].filter((id) => {
    const { SecurityGroupIngress, CidrIp } = network.Resources[id]?.Properties ?? {};
    return JSON.stringify([SecurityGroupIngress, CidrIp]).includes("/0");
  });
  assert.deepEqual(open, []);
});
