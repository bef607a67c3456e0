import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parseWebhookSecrets } from "../../lib/github/secrets.ts";
import { createSeal } from "../../lib/store/seal.ts";
import { expiryAttribute, tableDefinition } from "../../lib/store/table.ts";
import { metricNamespace, metricUnits } from "../../lib/telemetry/metrics.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { packagedService } from "./artefacts.ts";
import { functionsOf, type Resource, resourceOf, resourcesOf } from "./template.ts";

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
  for (const { QueueName, FifoQueue, SqsManagedSseEnabled } of [queue, dead]) {
    assert.match(String(QueueName), /\.fifo$/);
    assert.deepEqual([FifoQueue, SqsManagedSseEnabled], [true, true]);
  }
  assert.deepEqual(queue["RedrivePolicy"], {
    deadLetterTargetArn: { "Fn::GetAtt": ["DeadRevisionQueue", "Arn"] },
    maxReceiveCount: 10,
  });
  assert.ok(Number(dead["MessageRetentionPeriod"]) > Number(queue["MessageRetentionPeriod"]));
  const timeout = functionsOf(template).get("plan")?.Timeout ?? Number.NaN;
  assert.ok(Number(queue["VisibilityTimeout"]) >= 6 * timeout);
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
  for (const starter of ["plan", "sweep", "audit", "api"]) {
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
  const reserved = functionsOf(template).get("sweep")?.["ReservedConcurrentExecutions"];
  assert.deepEqual(reserved, { "Fn::If": ["ReserveConcurrency", 10, { Ref: "AWS::NoValue" }] });
  const { MaximumEventAgeInSeconds, MaximumRetryAttempts } = resourceOf(template, "SweepLambdaEvConf").Properties;
  assert.deepEqual([MaximumEventAgeInSeconds, MaximumRetryAttempts], [240, 0]);
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

test("a sweep that is three intervals late, or never comes, and a fight sound an alarm, where a topic is named", async () => {
  const { template } = await packagedService();
  const late = resourceOf(template, "LateSweepAlarm") as Resource & { readonly Condition?: string };
  const fight = resourceOf(template, "FightAlarm") as typeof late;
  assert.deepEqual([late.Condition, fight.Condition], ["HasAlarmTopic", "HasAlarmTopic"]);
  assert.deepEqual(template.Conditions["HasAlarmTopic"], { "Fn::Not": [{ "Fn::Equals": ["", ""] }] });
  const { MetricName, Period, Threshold, TreatMissingData, Dimensions } = late.Properties;
  assert.deepEqual([MetricName, TreatMissingData, Dimensions], ["SweepAge", "breaching", undefined]);
  assert.deepEqual([Number(Period), Number(Threshold)], [3 * 5 * 60, 3 * 5 * 60]);
  const { MetricName: fights, Threshold: most, TreatMissingData: missing } = fight.Properties;
  assert.deepEqual([fights, Number(most), missing], ["DriftFights", 0, "notBreaching"]);
  for (const { Properties } of [late, fight]) {
    assert.equal(Properties["Namespace"], metricNamespace);
    assert.ok(String(Properties["MetricName"]) in metricUnits);
  }
});

test("the schedule, and what the functions take for it, come from one place", async () => {
  const { template } = await packagedService();
  const [, minutes] =
    /^rate\((\d+) minutes\)$/.exec(String(resourceOf(template, "SweepSchedule").Properties["ScheduleExpression"])) ?? [];
  const told = ["sweep", "api"].map((name) => functionsOf(template).get(name)?.Environment.Variables["DRIFTLESS_SWEEP_INTERVAL"]);
  assert.deepEqual(told, [`${minutes}m`, `${minutes}m`]);
});
