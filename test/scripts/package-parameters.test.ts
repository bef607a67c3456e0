import assert from "node:assert/strict";
import { test } from "node:test";
import { parameterProblems, parametersOf } from "../../scripts/package-parameters.ts";

const blue = "arn:aws:eks:eu-central-1:123456789012:cluster/blue";
const role = "arn:aws:iam::123456789012:role/driftless";
const problemsOf = (given: Readonly<Record<string, string>>) =>
  parameterProblems(
    new Map(Object.entries({ configRepository: "https://git.example/platform.git", clusterArns: blue, ...given })),
  );

test("parameters are read as osls reads them: in two words, in one, and the last of a name counts", () => {
  const args = ["--stage", "prod", "--param", "a=1", "--param=b=x=y", "--param", "a=2", "--param"];
  assert.deepEqual(Object.fromEntries(parametersOf(args)), { a: "2", b: "x=y" });
});

test("what is for a deployment names its clusters; what is not, need not", () => {
  assert.deepEqual(problemsOf({}), []);
  assert.match(problemsOf({ clusterArns: "" }).join(), /^--param clusterArns is missing: ARNs of EKS clusters/);
  assert.deepEqual(parameterProblems(new Map()), []);
});

test("no cluster is named by wildcard, and each of a list is looked at", () => {
  const every = "arn:aws:eks:eu-central-1:123456789012:cluster/*";
  for (const clusterArns of [every, `${blue},${every}`, "*", "blue", `${blue}, ${blue}`])
    assert.equal(problemsOf({ clusterArns }).length, 1, clusterArns);
  assert.deepEqual(problemsOf({ clusterArns: `${blue},arn:aws-cn:eks:cn-north-1:123456789012:cluster/red_1` }), []);
});

test("`none` is for installations that open every cluster by a role", () => {
  assert.match(problemsOf({ clusterArns: "none" }).join(), /needs --param clusterRoles/);
  assert.deepEqual(problemsOf({ clusterArns: "none", clusterRoles: role }), []);
});

test("a role, a secret, a key, a repository and a topic are whole ARNs without a wildcard", () => {
  const wrong = {
    clusterRoles: `${role}*`,
    githubSecret: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:driftless/github-*",
    sopsAgeSecret: "driftless/age",
    chartSecret: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:*",
    sopsKmsKeys: "arn:aws:kms:eu-central-1:123456789012:alias/sops",
    ecrRepositories: "arn:aws:ecr:eu-central-1:123456789012:repository/*",
    alarmTopic: "platform",
  };
  for (const [name, value] of Object.entries(wrong)) {
    const [problem = "", ...more] = problemsOf({ [name]: value });
    assert.ok(problem.startsWith(`--param ${name}: ${value} is not `), problem);
    assert.deepEqual(more, []);
    assert.deepEqual(problemsOf({ [name]: "" }), []);
  }
});

test("a network has both subnets and security groups", () => {
  const network = { subnetIds: "subnet-0a1b2c3d,subnet-0a1b2c3d4e5f60718", securityGroupIds: "sg-0a1b2c3d" };
  assert.deepEqual(problemsOf(network), []);
  assert.equal(problemsOf({ subnetIds: network.subnetIds }).length, 1);
  assert.equal(problemsOf({ securityGroupIds: network.securityGroupIds }).length, 1);
});

test("a parameter that serverless.yml does not know is refused, with the nearest that it knows", () => {
  assert.deepEqual(problemsOf({ alarmTopics: "" }), [
    "--param alarmTopics: there is no such parameter: did you mean alarmTopic?",
  ]);
  assert.match(problemsOf({ colour: "blue" }).join(), /^--param colour: .* known are reserveConcurrency, /);
  assert.deepEqual(problemsOf({ sweepMinutes: "10", configBranch: "live" }), []);
});
