import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parseWebhookSecrets } from "../../lib/github/secrets.ts";
import { createSeal } from "../../lib/store/seal.ts";
import { expiryAttribute, tableDefinition } from "../../lib/store/table.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { packagedService, securityGroupIds, subnetIds } from "./artefacts.ts";
import { functionsOf, resourceOf, resourcesOf } from "./template.ts";

const functionsFolder = path.join(import.meta.dirname, "..", "..", "functions");

test("packaging says nothing but that it is done: no warning, no deprecation", async () => {
  const { output } = await packagedService();
  assert.match(output, /Service packaged/);
  assert.doesNotMatch(output, /warning|deprecat|error/i);
});

test("the deployed table is the one that the code describes", async () => {
  const { Properties } = resourceOf((await packagedService()).template, "Table");
  const described = Object.fromEntries(Object.keys(tableDefinition).map((key) => [key, Properties[key]]));
  assert.deepEqual(described, tableDefinition);
  assert.deepEqual(Properties["TimeToLiveSpecification"], { AttributeName: expiryAttribute, Enabled: true });
});

test("the table is encrypted, can be restored to any second, and outlives its stack, with the key of its snapshots", async () => {
  const { template } = await packagedService();
  const { Properties } = resourceOf(template, "Table");
  assert.equal(Properties["DeletionProtectionEnabled"], true);
  assert.deepEqual(Properties["PointInTimeRecoverySpecification"], { PointInTimeRecoveryEnabled: true });
  assert.deepEqual(Properties["SSESpecification"], { SSEEnabled: true, SSEType: "KMS" });
  for (const id of ["Table", "SnapshotKey"]) {
    const { DeletionPolicy, UpdateReplacePolicy } = resourceOf(template, id);
    assert.deepEqual([id, DeletionPolicy, UpdateReplacePolicy], [id, "RetainExceptOnCreate", "Retain"]);
  }
});

test("every function file is deployed, on Node 24 for arm64", async () => {
  const files = readdirSync(functionsFolder).filter((file) =>
    /^export const handler\b/m.test(readFileSync(path.join(functionsFolder, file), "utf8")),
  );
  const functions = functionsOf((await packagedService()).template);
  assert.deepEqual(
    [...functions.values()].map(({ Handler }) => Handler).sort(),
    files.map((file) => `functions/${path.basename(file, ".ts")}.handler`).sort(),
  );
  for (const { Runtime, Architectures, Layers } of functions.values()) {
    assert.deepEqual([Runtime, Architectures, Layers], ["nodejs24.x", ["arm64"], undefined]);
  }
});

test("every log group forgets after 30 days", async () => {
  const groups = resourcesOf((await packagedService()).template, "AWS::Logs::LogGroup");
  const kept = [...groups.values()].map(({ Properties }) => [Properties["LogGroupName"], Properties["RetentionInDays"]]);
  assert.deepEqual(Object.fromEntries(kept), {
    "/aws/lambda/driftless-prod-api": 30,
    "/aws/lambda/driftless-prod-audit": 30,
    "/aws/lambda/driftless-prod-plan": 30,
    "/aws/lambda/driftless-prod-preview": 30,
    "/aws/lambda/driftless-prod-shard": 30,
    "/aws/lambda/driftless-prod-sweep": 30,
    "/aws/lambda/driftless-prod-sync": 30,
    "/aws/lambda/driftless-prod-webhook": 30,
  });
});

test("only deliveries come in unsigned; the API answers signed callers", async () => {
  const routes = resourcesOf((await packagedService()).template, "AWS::ApiGatewayV2::Route");
  const access = [...routes.values()].map(({ Properties }) => [Properties["RouteKey"], Properties["AuthorizationType"]]);
  assert.deepEqual(Object.fromEntries(access), {
    "GET /api/{proxy+}": "AWS_IAM",
    "POST /api/{proxy+}": "AWS_IAM",
    "POST /webhook": undefined,
  });
  assert.equal(resourcesOf((await packagedService()).template, "AWS::Lambda::Url").size, 0);
});

test("the queue of moved branches keeps their order, and gives up a message after ten tries to the dead letters", async () => {
  const { template } = await packagedService();
  const queue = resourceOf(template, "RevisionQueue").Properties;
  const dead = resourceOf(template, "DeadRevisionQueue").Properties;
  for (const { QueueName, FifoQueue } of [queue, dead]) {
    assert.match(String(QueueName), /\.fifo$/);
    assert.equal(FifoQueue, true);
  }
  assert.deepEqual(queue["RedrivePolicy"], {
    deadLetterTargetArn: { "Fn::GetAtt": ["DeadRevisionQueue", "Arn"] },
    maxReceiveCount: 10,
  });
  assert.deepEqual(dead["RedriveAllowPolicy"], {
    redrivePermission: "byQueue",
    sourceQueueArns: [
      { "Fn::Sub": `arn:\${AWS::Partition}:sqs:\${AWS::Region}:\${AWS::AccountId}:${String(queue["QueueName"])}` },
    ],
  });
});

test("a run that could not be started, or ended by a fault, is a dead letter; sweeps and looks of the audit are left out", async () => {
  const { template } = await packagedService();
  const functions = functionsOf(template);
  const target = { "Fn::GetAtt": ["DeadSyncQueue", "Arn"] };
  assert.deepEqual(functions.get("sync")?.["DeadLetterConfig"], { TargetArn: target });
  const tries = ["Sweep", "Shard", "Audit"].map((name) => {
    const { MaximumRetryAttempts, MaximumEventAgeInSeconds } = resourceOf(template, `${name}LambdaEvConf`).Properties;
    return [name, MaximumRetryAttempts, MaximumEventAgeInSeconds];
  });
  assert.deepEqual(tries, [
    ["Sweep", 0, 240],
    ["Shard", 0, 240],
    ["Audit", 2, 3600],
  ]);
});

test("the plan function takes one message at a time, ten side by side, and sends back only what failed", async () => {
  const sources = resourcesOf((await packagedService()).template, "AWS::Lambda::EventSourceMapping");
  const [source] = [...sources.values()];
  assert.equal(sources.size, 1);
  assert.deepEqual(source?.Properties, {
    BatchSize: 1,
    EventSourceArn: { "Fn::GetAtt": ["RevisionQueue", "Arn"] },
    FunctionName: { "Fn::GetAtt": ["PlanLambdaFunction", "Arn"] },
    Enabled: true,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    ScalingConfig: { MaximumConcurrency: 10 },
  });
});

test("a sync is a durable execution of a published version, started by alias", async () => {
  const { template } = await packagedService();
  const functions = functionsOf(template);
  assert.deepEqual(functions.get("sync")?.["DurableConfig"], { ExecutionTimeout: 86_400, RetentionPeriodInDays: 14 });
  const { FunctionVersion, ...alias } = resourceOf(template, "SyncDurableLambdaAlias").Properties;
  assert.deepEqual(alias, { FunctionName: { Ref: "SyncLambdaFunction" }, Name: "durable" });
  const [version] = [...resourcesOf(template, "AWS::Lambda::Version").keys()];
  assert.deepEqual(FunctionVersion, { "Fn::GetAtt": [version, "Version"] });
  for (const starter of ["plan", "sweep", "shard", "audit", "api"]) {
    const named = functions.get(starter)?.Environment.Variables["DRIFTLESS_SYNC_FUNCTION"];
    assert.deepEqual(named, { Ref: "SyncDurableLambdaAlias" });
  }
});

test("B11: the sweep starts every five minutes, within a minute of chance, and sweeps up to ten clusters at once, each once", async () => {
  const { template } = await packagedService();
  const { ScheduleExpression, FlexibleTimeWindow, Target } = resourceOf(template, "SweepSchedule").Properties;
  assert.equal(ScheduleExpression, "rate(5 minutes)");
  assert.deepEqual(FlexibleTimeWindow, { Mode: "FLEXIBLE", MaximumWindowInMinutes: 1 });
  assert.deepEqual((Target as { readonly Arn: unknown }).Arn, { "Fn::GetAtt": ["SweepLambdaFunction", "Arn"] });
  const functions = functionsOf(template);
  const reserved = ["sweep", "shard"].map((name) => functions.get(name)?.["ReservedConcurrentExecutions"]);
  assert.deepEqual(
    reserved,
    [2, 10].map((many) => ({ "Fn::If": ["ReserveConcurrency", many, { Ref: "AWS::NoValue" }] })),
  );
});

test("the sweep opens no cluster: it hands every one to the shard function", async () => {
  const { template } = await packagedService();
  const told = functionsOf(template).get("sweep")?.Environment.Variables ?? {};
  assert.equal(told["DRIFTLESS_SWEEP_IN_PLACE"], "false");
  assert.deepEqual(told["DRIFTLESS_SWEEP_FUNCTION"], { Ref: "ShardLambdaFunction" });
});

test("with subnets the functions that open clusters for themselves are in them, and plans ask no cluster; without, none is", async () => {
  const { template } = await packagedService();
  const network = {
    "Fn::If": [
      "HasSubnets",
      {
        SubnetIds: { "Fn::Split": [",", subnetIds.join(",")] },
        SecurityGroupIds: { "Fn::Split": [",", securityGroupIds.join(",")] },
      },
      { Ref: "AWS::NoValue" },
    ],
  };
  const inside = [...functionsOf(template)].filter(([, properties]) => properties["VpcConfig"] !== undefined);
  assert.deepEqual(inside.map(([name]) => name).toSorted(), ["audit", "shard", "sync"]);
  for (const [name, { VpcConfig }] of inside) assert.deepEqual(VpcConfig, network, name);
  assert.deepEqual(template.Conditions["HasSubnets"], { "Fn::Not": [{ "Fn::Equals": [subnetIds.join(","), ""] }] });
  assert.deepEqual(functionsOf(template).get("plan")?.Environment.Variables["DRIFTLESS_PLAN_ASKS_CLUSTERS"], {
    "Fn::If": ["HasSubnets", "false", "true"],
  });
});

test("deliveries have concurrency of their own", async () => {
  const reserved = functionsOf((await packagedService()).template).get("webhook")?.["ReservedConcurrentExecutions"];
  assert.deepEqual(reserved, { "Fn::If": ["ReserveConcurrency", 20, { Ref: "AWS::NoValue" }] });
});

test("the secrets that Secrets Manager makes are ones that the functions take", async () => {
  const { template } = await packagedService();
  const rule = (id: string) =>
    resourceOf(template, id).Properties["GenerateSecretString"] as {
      readonly PasswordLength: number;
      readonly ExcludePunctuation: boolean;
      readonly SecretStringTemplate?: string;
      readonly GenerateStringKey?: string;
    };
  const generated = (id: string): string => "Zk9".repeat(50).slice(0, rule(id).PasswordLength);

  assert.equal(rule("SnapshotKey").ExcludePunctuation, true);
  const seal = createSeal(new Secret(generated("SnapshotKey")));
  assert.deepEqual(Buffer.from(seal.open(seal.seal(Buffer.from("manifest"), "here"), "here")), Buffer.from("manifest"));

  const { SecretStringTemplate = "", GenerateStringKey = "" } = rule("WebhookSecret");
  const text = JSON.stringify({ ...JSON.parse(SecretStringTemplate), [GenerateStringKey]: generated("WebhookSecret") });
  assert.deepEqual(
    parseWebhookSecrets(text, "webhook").map(({ name }) => name),
    ["current"],
  );
});

test("the schedule, and what the functions take for it, come from one place", async () => {
  const { template } = await packagedService();
  const [, minutes] =
    /^rate\((\d+) minutes\)$/.exec(String(resourceOf(template, "SweepSchedule").Properties["ScheduleExpression"])) ?? [];
  const told = ["sweep", "api"].map((name) => functionsOf(template).get(name)?.Environment.Variables["DRIFTLESS_SWEEP_INTERVAL"]);
  assert.deepEqual(told, [`${minutes}m`, `${minutes}m`]);
});

test("the outputs are those that the pages and `driftless doctor` name", async () => {
  const { Outputs } = (await packagedService()).template;
  const names = [
    "AuditFunctionArn",
    "AuditRoleArn",
    "DashboardName",
    "DeadRevisionQueueUrl",
    "DeadSyncQueueUrl",
    "HttpApiUrl",
    "InstallationId",
    "PlanRoleArn",
    "PreviewRoleArn",
    "RevisionQueueUrl",
    "SweepRoleArn",
    "SyncRoleArn",
    "TableName",
    "WebhookSecretArn",
  ];
  assert.deepEqual(
    names.filter((name) => Outputs[name] === undefined),
    [],
  );
  // One that no other stack has, and that stays as long as this one.
  assert.deepEqual(Outputs["InstallationId"]?.Value, { "Fn::Select": [2, { "Fn::Split": ["/", { Ref: "AWS::StackId" }] }] });
});
