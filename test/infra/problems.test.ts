import assert from "node:assert/strict";
import { test } from "node:test";
import { packagedService } from "./artefacts.ts";
import { problemsOf } from "./problems.ts";
import type { Template } from "./template.ts";

test("nothing in the template is wider, more forgetful or less watched than it has to be", async () => {
  assert.deepEqual(problemsOf((await packagedService()).template), []);
});

/** A template that may be changed: a JSON document. */
type Loose = { [key: string]: Loose };

interface Broken {
  readonly title: string;
  readonly breaks: (resources: Loose, template: Loose) => void;
  readonly problem: RegExp;
}

const at = (resources: Loose, ...keys: readonly string[]): Loose =>
  keys.reduce((value, key) => {
    const next = value[key];
    assert.ok(next !== undefined, `${keys.join(".")}: no ${key}`);
    return next;
  }, resources);
const set = (target: Loose, key: string, value: unknown): void => void Object.assign(target, { [key]: value });
const statements = (resources: Loose, role: string): Loose =>
  at(resources, role, "Properties", "Policies", "0", "PolicyDocument", "Statement");
const add = (resources: Loose, role: string, statement: object): void => {
  (statements(resources, role) as unknown as object[]).push(statement);
};
const remove = (target: Loose, key: string): void => {
  assert.ok(key in target, key);
  delete target[key];
};

const broken: readonly Broken[] = [
  {
    title: "an action by wildcard",
    breaks: (all) =>
      add(all, "PlanRole", { Effect: "Allow", Action: "sqs:*", Resource: { "Fn::GetAtt": ["RevisionQueue", "Arn"] } }),
    problem: /^PlanRole may sqs:\*$/,
  },
  {
    title: "every resource",
    breaks: (all) => add(all, "ApiRole", { Effect: "Allow", Action: ["sts:AssumeRole"], Resource: "*" }),
    problem: /^ApiRole may sts:AssumeRole on \*$/,
  },
  {
    title: "every cluster",
    breaks: (all) =>
      add(all, "SyncRole", {
        "Fn::If": [
          "HasClusterArns",
          {
            Effect: "Allow",
            Action: "eks:DescribeCluster",
            Resource: { "Fn::Sub": "arn:${AWS::Partition}:eks:${AWS::Region}:${AWS::AccountId}:cluster/*" },
          },
          { Ref: "AWS::NoValue" },
        ],
      }),
    problem: /^SyncRole may eks:DescribeCluster on arn:.*cluster\/\*$/,
  },
  {
    title: "a token of ECR where no repository is named",
    breaks: (all) => add(all, "ApiRole", { Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" }),
    problem: /^ApiRole may ecr:GetAuthorizationToken on \*$/,
  },
  {
    title: "everything but",
    breaks: (all) => add(all, "ApiRole", { Effect: "Allow", NotAction: "iam:PassRole", Resource: { Ref: "WebhookSecret" } }),
    problem: /^ApiRole is told what it may by something else than Action and Resource$/,
  },
  {
    title: "a managed policy",
    breaks: (all) => set(at(all, "ApiRole", "Properties"), "ManagedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
    problem: /^ApiRole has rights that stand elsewhere$/,
  },
  {
    title: "a policy beside the roles",
    breaks: (all) => set(all, "More", { Type: "AWS::IAM::Policy", Properties: {} }),
    problem: /^More gives rights beside the roles$/,
  },
  {
    title: "a role that anybody may take",
    breaks: (all) =>
      set(at(all, "ApiRole", "Properties", "AssumeRolePolicyDocument", "Statement", "0"), "Principal", { AWS: "*" }),
    problem: /^ApiRole may be taken by anybody$/,
  },
  {
    title: "two functions with one role",
    breaks: (all) => set(at(all, "ApiLambdaFunction", "Properties"), "Role", { "Fn::GetAtt": ["SyncRole", "Arn"] }),
    problem: /^SyncLambdaFunction and ApiLambdaFunction share the role SyncRole$/,
  },
  {
    title: "runs that are lost without a word",
    breaks: (all) => remove(at(all, "SyncLambdaFunction", "Properties"), "DeadLetterConfig"),
    problem: /^SyncLambdaFunction is called asynchronously, and has neither dead letters/,
  },
  {
    title: "sweeps that are tried again for hours",
    breaks: (all) => remove(at(all, "ShardLambdaEvConf", "Properties"), "MaximumEventAgeInSeconds"),
    problem: /^ShardLambdaFunction is called asynchronously/,
  },
  {
    title: "a durable function without an alias",
    breaks: (all) => remove(all, "SyncDurableLambdaAlias"),
    problem: /^SyncLambdaFunction is durable, and has no alias of a version$/,
  },
  {
    title: "a queue without dead letters",
    breaks: (all) => remove(at(all, "RevisionQueue", "Properties"), "RedrivePolicy"),
    problem: /^RevisionQueue has no dead letters$/,
  },
  {
    title: "a queue in the clear",
    breaks: (all) => remove(at(all, "DeadSyncQueue", "Properties"), "SqsManagedSseEnabled"),
    problem: /^DeadSyncQueue is not encrypted$/,
  },
  {
    title: "a queue that keeps for as long as AWS likes",
    breaks: (all) => remove(at(all, "RevisionQueue", "Properties"), "MessageRetentionPeriod"),
    problem: /^RevisionQueue has no retention$/,
  },
  {
    title: "dead letters of any queue",
    breaks: (all) => remove(at(all, "DeadRevisionQueue", "Properties"), "RedriveAllowPolicy"),
    problem: /^DeadRevisionQueue takes dead letters of any queue$/,
  },
  {
    title: "dead letters that are gone on Monday",
    breaks: (all) => set(at(all, "DeadRevisionQueue", "Properties"), "MessageRetentionPeriod", 86_400),
    problem: /^DeadRevisionQueue keeps dead letters for less than 14 days$/,
  },
  {
    title: "a message that is seen again while it is worked on",
    breaks: (all) => set(at(all, "RevisionQueue", "Properties"), "VisibilityTimeout", 719),
    problem: /^RevisionQueue hides a message for 719 s, and PlanLambdaFunction takes 120 s$/,
  },
  {
    title: "a log that grows for ever",
    breaks: (all) => remove(at(all, "PlanLogGroup", "Properties"), "RetentionInDays"),
    problem: /^PlanLogGroup forgets nothing$/,
  },
  {
    title: "a function without a log group",
    breaks: (all) => remove(all, "ApiLogGroup"),
    problem: /^driftless-prod-api has no log group/,
  },
  ...(
    [
      ["SSESpecification", "Table is not encrypted with a key of KMS"],
      ["PointInTimeRecoverySpecification", "Table cannot be restored"],
      ["TimeToLiveSpecification", "Table forgets nothing"],
      ["DeletionProtectionEnabled", "Table can be deleted"],
    ] as const
  ).map(([property, problem]) => ({
    title: `a table without ${property}`,
    breaks: (all: Loose) => remove(at(all, "Table", "Properties"), property),
    problem: new RegExp(`^${problem}$`),
  })),
  {
    title: "a table that goes with its stack",
    breaks: (all) => remove(at(all, "Table"), "DeletionPolicy"),
    problem: /^Table goes with its stack$/,
  },
  {
    title: "a bucket in the clear",
    breaks: (all) => remove(at(all, "ServerlessDeploymentBucket", "Properties"), "BucketEncryption"),
    problem: /^ServerlessDeploymentBucket is not encrypted$/,
  },
  {
    title: "a bucket that can be made public",
    breaks: (all) => remove(at(all, "ServerlessDeploymentBucket", "Properties"), "PublicAccessBlockConfiguration"),
    problem: /^ServerlessDeploymentBucket can be made public$/,
  },
  {
    title: "an alarm that tells nobody",
    breaks: (all) => set(at(all, "LateSweepAlarm", "Properties"), "AlarmActions", []),
    problem: /^LateSweepAlarm tells nobody$/,
  },
  {
    title: "throttles that nobody hears of",
    breaks: (all) => remove(all, "ShardThrottlesAlarm"),
    problem: /^no alarm watches Throttles ShardLambdaFunction$/,
  },
  {
    title: "dead letters that nobody hears of",
    breaks: (all) => remove(all, "DeadSyncAlarm"),
    problem: /^no alarm watches ApproximateNumberOfMessagesVisible DeadSyncQueue$/,
  },
  {
    title: "a queue whose age nobody hears of",
    breaks: (all) => remove(all, "QueueAgeAlarm"),
    problem: /^no alarm watches ApproximateAgeOfOldestMessage RevisionQueue$/,
  },
];

for (const { title, breaks, problem } of broken) {
  test(`refused in a template: ${title}`, async () => {
    const template = structuredClone((await packagedService()).template) as unknown as Loose;
    breaks(at(template, "Resources"), template);
    const found = problemsOf(template as unknown as Template);
    assert.ok(
      found.some((each) => problem.test(each)),
      found.length === 0 ? "nothing was found" : found.join("\n"),
    );
  });
}
