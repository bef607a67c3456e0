import assert from "node:assert/strict";
import { test } from "node:test";
import { tableDefinition } from "../../lib/store/table.ts";
import {
  chartSecret,
  clusterArns,
  clusterRoles,
  ecrRepositories,
  githubSecret,
  packagedService,
  sopsAgeSecret,
  sopsKmsKeys,
} from "./artefacts.ts";
import { actionsOf, functionsOf, resourceOf, resourcesOf, statementsOf } from "./template.ts";

const arnOf = (id: string) => ({ "Fn::GetAtt": [id, "Arn"] });

test("every function has a role of its own, which only Lambda may take", async () => {
  const { template } = await packagedService();
  const roles = Object.fromEntries([...functionsOf(template)].map(([name, { Role }]) => [name, Role["Fn::GetAtt"][0]]));
  assert.deepEqual(roles, {
    api: "ApiRole",
    audit: "AuditRole",
    plan: "PlanRole",
    preview: "PreviewRole",
    shard: "SweepRole",
    sweep: "SweepStartRole",
    sync: "SyncRole",
    webhook: "WebhookRole",
  });
  for (const role of Object.values(roles)) {
    const { AssumeRolePolicyDocument, ManagedPolicyArns } = resourceOf(template, role).Properties;
    assert.deepEqual((AssumeRolePolicyDocument as { readonly Statement: unknown }).Statement, [
      { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
    ]);
    assert.equal(ManagedPolicyArns, undefined);
  }
});

test("there is a role for each function and one for the schedule, and no right stands elsewhere", async () => {
  const { template } = await packagedService();
  assert.equal(resourcesOf(template, "AWS::IAM::Role").size, functionsOf(template).size + 1);
});

test("each function may make the calls that it makes, and no others", async () => {
  const { template } = await packagedService();
  const logs = ["logs:CreateLogStream", "logs:PutLogEvents"];
  const table = [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
  ];
  const network = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ];
  const rights: Readonly<Record<string, readonly string[]>> = {
    PlanRole: [
      ...table,
      "ecr:BatchGetImage",
      "ecr:GetAuthorizationToken",
      "ecr:GetDownloadUrlForLayer",
      "eks:DescribeCluster",
      "kms:Decrypt",
      "lambda:InvokeFunction",
      ...logs,
      "secretsmanager:GetSecretValue",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
      "sts:AssumeRole",
    ],
    SyncRole: [
      ...table,
      ...network,
      "eks:DescribeCluster",
      "events:PutEvents",
      "lambda:CheckpointDurableExecution",
      "lambda:GetDurableExecutionState",
      ...logs,
      "secretsmanager:GetSecretValue",
      "sqs:SendMessage",
      "sts:AssumeRole",
    ],
    SweepStartRole: [
      ...table,
      "events:PutEvents",
      "lambda:InvokeFunction",
      ...logs,
      "secretsmanager:GetSecretValue",
      "sqs:SendMessage",
    ],
    SweepRole: [
      ...table,
      ...network,
      "eks:DescribeCluster",
      "events:PutEvents",
      "lambda:InvokeFunction",
      ...logs,
      "secretsmanager:GetSecretValue",
      "sts:AssumeRole",
    ],
    AuditRole: [
      ...table,
      ...network,
      "eks:DescribeCluster",
      "events:PutEvents",
      "lambda:InvokeFunction",
      ...logs,
      "secretsmanager:GetSecretValue",
      "sts:AssumeRole",
    ],
    PreviewRole: [
      "dynamodb:BatchGetItem",
      "dynamodb:BatchWriteItem",
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "ecr:BatchGetImage",
      "ecr:GetAuthorizationToken",
      "ecr:GetDownloadUrlForLayer",
      "eks:DescribeCluster",
      "kms:Decrypt",
      ...logs,
      "secretsmanager:GetSecretValue",
      "sts:AssumeRole",
    ],
    ApiRole: [
      "dynamodb:BatchGetItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "lambda:InvokeFunction",
      ...logs,
      "secretsmanager:GetSecretValue",
    ],
    ScheduleRole: ["lambda:InvokeFunction"],
  };
  for (const [role, expected] of Object.entries(rights)) assert.deepEqual(actionsOf(template, role), expected, role);
});

test("the API writes rows of applications alone, a plan made by hand what it rendered and learned: neither the state of a sync", async () => {
  const { template } = await packagedService();
  const writes = (role: string) =>
    statementsOf(template, role).flatMap(({ Action, Condition, Resource }) =>
      [Action].flat().some((action) => /:(Put|Update|Delete)Item$/.test(action)) ? [{ Action, Condition, Resource }] : [],
    );
  assert.deepEqual(writes("ApiRole"), [
    {
      Action: "dynamodb:PutItem",
      Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["application"] } },
      Resource: arnOf("Table"),
    },
  ]);
  assert.deepEqual(writes("PreviewRole"), [
    {
      Action: ["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
      Condition: {
        "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["snapshot#*", "render#*", "capabilities#*", "repository#*"] },
      },
      Resource: arnOf("Table"),
    },
  ]);
});

test("the webhook can read its one secret, write and read back its rows, send to the queue, log; nothing else", async () => {
  const { template } = await packagedService();
  assert.deepEqual(statementsOf(template, "WebhookRole"), [
    { Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: arnOf("WebhookLogGroup") },
    { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: { Ref: "WebhookSecret" } },
    {
      Effect: "Allow",
      Action: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
      Resource: arnOf("Table"),
    },
    { Effect: "Allow", Action: "sqs:SendMessage", Resource: arnOf("RevisionQueue") },
  ]);
});

test("the API may ask the table by each of its indexes, and no other function by those of drift", async () => {
  const { template } = await packagedService();
  const indexesOf = (role: string) =>
    JSON.stringify(statementsOf(template, role))
      .match(/(?<=\/index\/)\w+/g)
      ?.toSorted() ?? [];
  const all = tableDefinition.GlobalSecondaryIndexes.map(({ IndexName }) => IndexName).toSorted();
  assert.deepEqual(indexesOf("ApiRole"), all);
  const roles = [...resourcesOf(template, "AWS::IAM::Role").keys()].filter((role) => role !== "ApiRole");
  assert.deepEqual([...new Set(roles.flatMap(indexesOf))], ["timeline"]);
});

test("nobody but the webhook reads the webhook's secret", async () => {
  const { template } = await packagedService();
  const readers = [...resourcesOf(template, "AWS::IAM::Role").keys()].filter((role) =>
    JSON.stringify(statementsOf(template, role)).includes('"WebhookSecret"'),
  );
  assert.deepEqual(readers, ["WebhookRole"]);
});

test("the functions that read Git, and no others, may read the secret for GitHub, and are told its name; without one, neither", async () => {
  const { template } = await packagedService();
  const secret = { "Fn::If": ["HasGithubSecret", githubSecret, { Ref: "SnapshotKey" }] };
  const readers = [...resourcesOf(template, "AWS::IAM::Role").keys()].filter((role) =>
    JSON.stringify(statementsOf(template, role)).includes(githubSecret),
  );
  assert.deepEqual(readers.toSorted(), ["PlanRole", "PreviewRole", "SweepStartRole"]);
  for (const role of readers) {
    const resources = statementsOf(template, role)
      .filter(({ Action }) => Action === "secretsmanager:GetSecretValue")
      .map(({ Resource }) => Resource);
    assert.deepEqual(resources.slice(0, 2), [{ Ref: "SnapshotKey" }, secret], role);
  }
  assert.deepEqual(template.Conditions["HasGithubSecret"], { "Fn::Not": [{ "Fn::Equals": [githubSecret, ""] }] });
  const told = [...functionsOf(template)].flatMap(([name, { Environment }]) => {
    const value = Environment.Variables["DRIFTLESS_GITHUB_SECRET_ID"];
    return value === undefined ? [] : [[name, value]];
  });
  const named = { "Fn::If": ["HasGithubSecret", githubSecret, { Ref: "AWS::NoValue" }] };
  assert.deepEqual(Object.fromEntries(told), { plan: named, preview: named, sweep: named });
});

test("only the functions that render decrypt: with the named keys of KMS and the age keys of the named secret, no others", async () => {
  const { template } = await packagedService();
  const roles = [...resourcesOf(template, "AWS::IAM::Role").keys()];
  const allowed = roles.flatMap((role) =>
    statementsOf(template, role)
      .filter(({ Action, Resource }) => Action === "kms:Decrypt" || Resource === sopsAgeSecret)
      .map(({ Action, Resource }) => [role, Action, Resource]),
  );
  const rendering = ["PlanRole", "PreviewRole"].flatMap((role) => [
    [role, "secretsmanager:GetSecretValue", sopsAgeSecret],
    [role, "kms:Decrypt", { "Fn::Split": [",", sopsKmsKeys.join(",")] }],
  ]);
  assert.deepEqual(allowed, rendering);
  assert.deepEqual(template.Conditions["HasSopsAgeSecret"], { "Fn::Not": [{ "Fn::Equals": [sopsAgeSecret, ""] }] });
  assert.deepEqual(template.Conditions["HasSopsKmsKeys"], { "Fn::Not": [{ "Fn::Equals": [sopsKmsKeys.join(","), ""] }] });
});

test("only the functions that render fetch charts: from the named repositories of ECR, and with the named secret", async () => {
  const { template } = await packagedService();
  const roles = [...resourcesOf(template, "AWS::IAM::Role").keys()];
  const allowed = roles.flatMap((role) =>
    statementsOf(template, role)
      .filter(({ Action, Resource }) => JSON.stringify(Action).includes("ecr:") || Resource === chartSecret)
      .map(({ Action, Resource }) => [role, Action, Resource]),
  );
  const rendering = ["PlanRole", "PreviewRole"].flatMap((role) => [
    [role, "secretsmanager:GetSecretValue", chartSecret],
    [role, ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], { "Fn::Split": [",", ecrRepositories.join(",")] }],
    [role, "ecr:GetAuthorizationToken", "*"],
  ]);
  assert.deepEqual(allowed, rendering);
  const told = [...functionsOf(template)].flatMap(([name, { Environment }]) => {
    const value = Environment.Variables["DRIFTLESS_CHARTS_SECRET_ID"];
    return value === undefined ? [] : [[name, value]];
  });
  const named = { "Fn::If": ["HasChartSecret", chartSecret, { Ref: "AWS::NoValue" }] };
  assert.deepEqual(Object.fromEntries(told), { plan: named, preview: named });
});

test("who starts syncs may do so by the alias that they are told; the API the preview, the sweep the shards; nothing else", async () => {
  const { template } = await packagedService();
  const name = functionsOf(template).get("sync")?.FunctionName;
  const alias = resourceOf(template, "SyncDurableLambdaAlias").Properties["Name"];
  for (const role of ["PlanRole", "SweepRole", "SweepStartRole", "AuditRole", "ApiRole"]) {
    const resources = statementsOf(template, role)
      .filter(({ Action }) => Action === "lambda:InvokeFunction")
      .map(({ Resource }) => Resource);
    const arn = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:";
    const others: Readonly<Record<string, unknown>> = {
      ApiRole: arnOf("PreviewLambdaFunction"),
      SweepStartRole: arnOf("ShardLambdaFunction"),
    };
    const more = others[role] === undefined ? [] : [others[role]];
    assert.deepEqual(resources, [{ "Fn::Sub": `${arn}${name}:${String(alias)}` }, ...more]);
  }
});

test("who finds or heals drift may publish on the one bus that it is told of, and nobody else on any", async () => {
  const { template } = await packagedService();
  const publishers = [...resourcesOf(template, "AWS::IAM::Role").keys()].flatMap((role) =>
    statementsOf(template, role)
      .filter(({ Action }) => [Action].flat().some((action) => action.startsWith("events:")))
      .map(({ Action, Resource }) => [role, Action, Resource]),
  );
  const bus = { "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default" };
  for (const role of ["SyncRole", "SweepRole", "AuditRole"])
    assert.ok(
      publishers.some(([name]) => name === role),
      role,
    );
  for (const [role, action, resource] of publishers)
    assert.deepEqual([action, resource], ["events:PutEvents", bus], String(role));
  const told = [...functionsOf(template)].filter(
    ([, { Environment }]) => Environment.Variables["DRIFTLESS_EVENT_BUS"] === "default",
  );
  assert.deepEqual(new Set(told.map(([, { Role }]) => Role["Fn::GetAtt"][0])), new Set(publishers.map(([role]) => role)));
});

test("who opens clusters may describe those that are named, and assume the roles that are named; the sweep's beginning, the API and the webhook may neither", async () => {
  const { template } = await packagedService();
  const allowed = (action: string) =>
    [...resourcesOf(template, "AWS::IAM::Role").keys()].flatMap((role) =>
      statementsOf(template, role)
        .filter(({ Action }) => Action === action)
        .map(({ Resource }) => [role, Resource] as const),
    );
  const openers = ["PlanRole", "SyncRole", "SweepRole", "AuditRole", "PreviewRole"];
  const named = (arns: readonly string[]) => openers.map((role) => [role, { "Fn::Split": [",", arns.join(",")] }]);
  assert.deepEqual(allowed("eks:DescribeCluster"), named(clusterArns));
  assert.deepEqual(allowed("sts:AssumeRole"), named(clusterRoles));
  assert.deepEqual(template.Conditions["HasClusterArns"], { "Fn::Not": [{ "Fn::Equals": [clusterArns.join(","), "none"] }] });
  assert.deepEqual(template.Conditions["HasClusterRoles"], { "Fn::Not": [{ "Fn::Equals": [clusterRoles.join(","), ""] }] });
});

test("Lambda joins the network by the role of a function, and what runs in the function may not", async () => {
  const { template } = await packagedService();
  for (const [role, name] of [
    ["SyncRole", "sync"],
    ["SweepRole", "shard"],
    ["AuditRole", "audit"],
  ] as const) {
    const [denied, ...more] = statementsOf(template, role).filter(({ Effect }) => Effect === "Deny");
    const joins = statementsOf(template, role)
      .filter(({ Effect, Action }) => Effect === "Allow" && JSON.stringify(Action).includes("ec2:"))
      .flatMap(({ Action }) => Action);
    assert.deepEqual(new Set([denied?.Action ?? []].flat()), new Set(joins));
    const own = `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:${functionsOf(template).get(name)?.FunctionName}`;
    assert.deepEqual(denied?.Condition, { ArnEquals: { "lambda:SourceFunctionArn": { "Fn::Sub": own } } });
    assert.deepEqual(more, []);
  }
});
