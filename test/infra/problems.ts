import { rightProblems } from "./right-problems.ts";
import { functionsOf, type Resource, resourceOf, resourcesOf, type Template } from "./template.ts";

type Properties = Resource["Properties"];

/** Called and waited for by the API, which tells its caller: nothing is left to be lost. */
const awaited: ReadonlySet<string> = new Set(["preview"]);

/** What AWS, or whoever runs Driftless, would hold against a template, a line each; none for one that may be deployed. */
export function problemsOf(template: Template): readonly string[] {
  return [
    ...rightProblems(template),
    ...functionProblems(template),
    ...queueProblems(template),
    ...logProblems(template),
    ...tableProblems(template),
    ...bucketProblems(template),
    ...alarmProblems(template),
  ];
}

/** The logical id that a reference names, `Ref` or `Fn::GetAtt`; "" for what is none. */
function idOf(value: unknown): string {
  const { Ref, "Fn::GetAtt": attribute } = (value ?? {}) as { readonly Ref?: string; readonly "Fn::GetAtt"?: readonly string[] };
  return Ref ?? attribute?.[0] ?? "";
}

function functionProblems(template: Template): readonly string[] {
  const functions = [...resourcesOf(template, "AWS::Lambda::Function")];
  const names = functionsOf(template);
  const owners = Map.groupBy(functions, ([, { Properties }]) => idOf(Properties["Role"]));
  const shared = [...owners].flatMap(([role, users]) =>
    users.length === 1 && role !== "" ? [] : [`${users.map(([id]) => id).join(" and ")} share the role ${role || "of nobody"}`],
  );
  const answering = new Set(
    [...resourcesOf(template, "AWS::Lambda::EventSourceMapping").values()].map(({ Properties }) =>
      idOf(Properties["FunctionName"]),
    ),
  );
  for (const { Properties } of resourcesOf(template, "AWS::ApiGatewayV2::Integration").values())
    answering.add(idOf(Properties["IntegrationUri"]));
  for (const name of awaited) answering.add(idOfFunction(functions, names.get(name)?.FunctionName));
  const limited = new Set(
    [...resourcesOf(template, "AWS::Lambda::EventInvokeConfig").values()].flatMap(({ Properties }) =>
      Properties["MaximumRetryAttempts"] === undefined || Properties["MaximumEventAgeInSeconds"] === undefined
        ? []
        : [idOf(Properties["FunctionName"])],
    ),
  );
  const undecided = functions.flatMap(([id, { Properties }]) => {
    if (answering.has(id) || limited.has(id)) return [];
    const target = idOf((Properties["DeadLetterConfig"] as { readonly TargetArn?: unknown } | undefined)?.TargetArn);
    if (template.Resources[target] !== undefined) return [];
    return [`${id} is called asynchronously, and has neither dead letters nor a stated end of its tries`];
  });
  const durable = functions.flatMap(([id, { Properties }]) => {
    if (Properties["DurableConfig"] === undefined) return [];
    const aliased = [...resourcesOf(template, "AWS::Lambda::Alias").values()].some(
      (alias) => idOf(alias.Properties["FunctionName"]) === id && idOf(alias.Properties["FunctionVersion"]) !== "",
    );
    return aliased ? [] : [`${id} is durable, and has no alias of a version`];
  });
  return [...shared, ...undecided, ...durable];
}

function idOfFunction(functions: readonly (readonly [string, Resource])[], name: string | undefined): string {
  return functions.find(([, { Properties }]) => Properties["FunctionName"] === name)?.[0] ?? "";
}

function queueProblems(template: Template): readonly string[] {
  const queues = resourcesOf(template, "AWS::SQS::Queue");
  const targetOf = ({ Properties }: Resource) =>
    idOf((Properties["RedrivePolicy"] as { readonly deadLetterTargetArn?: unknown } | undefined)?.deadLetterTargetArn);
  const functionTargets = [...resourcesOf(template, "AWS::Lambda::Function").values()].map(({ Properties }) =>
    idOf((Properties["DeadLetterConfig"] as { readonly TargetArn?: unknown } | undefined)?.TargetArn),
  );
  const dead = new Set([...[...queues.values()].map(targetOf), ...functionTargets]);
  const each = [...queues].flatMap(([id, queue]) => {
    const { SqsManagedSseEnabled, KmsMasterKeyId, MessageRetentionPeriod, RedriveAllowPolicy } = queue.Properties;
    const keeps = Number(MessageRetentionPeriod ?? Number.NaN);
    return [
      SqsManagedSseEnabled === true || KmsMasterKeyId !== undefined ? "" : `${id} is not encrypted`,
      Number.isNaN(keeps) ? `${id} has no retention` : "",
      dead.has(id) || queues.has(targetOf(queue)) ? "" : `${id} has no dead letters`,
      dead.has(id) && RedriveAllowPolicy === undefined ? `${id} takes dead letters of any queue` : "",
      dead.has(id) && keeps < 1_209_600 ? `${id} keeps dead letters for less than 14 days` : "",
    ];
  });
  const mappings = [...resourcesOf(template, "AWS::Lambda::EventSourceMapping").values()].map(({ Properties }) => {
    const [queue, worker] = [idOf(Properties["EventSourceArn"]), idOf(Properties["FunctionName"])];
    const visibility = Number(resourceOf(template, queue).Properties["VisibilityTimeout"] ?? 30);
    const timeout = Number(resourceOf(template, worker).Properties["Timeout"] ?? 3);
    return visibility >= 6 * timeout ? "" : `${queue} hides a message for ${visibility} s, and ${worker} takes ${timeout} s`;
  });
  return [...each, ...mappings].filter((problem) => problem !== "");
}

function logProblems(template: Template): readonly string[] {
  const groups = [...resourcesOf(template, "AWS::Logs::LogGroup")];
  const forever = groups.flatMap(([id, { Properties }]) =>
    Properties["RetentionInDays"] === undefined ? [`${id} forgets nothing`] : [],
  );
  const named = new Set(groups.map(([, { Properties }]) => Properties["LogGroupName"]));
  const missing = [...functionsOf(template).values()].flatMap(({ FunctionName }) =>
    named.has(`/aws/lambda/${FunctionName}`)
      ? []
      : [`${FunctionName} has no log group, so that Lambda makes one that forgets nothing`],
  );
  return [...forever, ...missing];
}

function tableProblems(template: Template): readonly string[] {
  return [...resourcesOf(template, "AWS::DynamoDB::Table")].flatMap(([id, table]) => {
    const enabled = (property: string, key: string): boolean =>
      (table.Properties[property] as Properties | undefined)?.[key] === true;
    const kept = table.DeletionPolicy?.startsWith("Retain") === true && table.UpdateReplacePolicy === "Retain";
    const problems = [
      enabled("SSESpecification", "SSEEnabled") ? "" : "is not encrypted with a key of KMS",
      enabled("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") ? "" : "cannot be restored",
      enabled("TimeToLiveSpecification", "Enabled") ? "" : "forgets nothing",
      table.Properties["DeletionProtectionEnabled"] === true ? "" : "can be deleted",
      kept ? "" : "goes with its stack",
    ];
    return problems.filter((problem) => problem !== "").map((problem) => `${id} ${problem}`);
  });
}

function bucketProblems(template: Template): readonly string[] {
  return [...resourcesOf(template, "AWS::S3::Bucket")].flatMap(([id, { Properties }]) => {
    const block = Object.values((Properties["PublicAccessBlockConfiguration"] ?? {}) as Properties);
    return [
      ...(Properties["BucketEncryption"] === undefined ? [`${id} is not encrypted`] : []),
      ...(block.length === 4 && block.every((value) => value === true) ? [] : [`${id} can be made public`]),
    ];
  });
}

function alarmProblems(template: Template): readonly string[] {
  const alarms = [...resourcesOf(template, "AWS::CloudWatch::Alarm")];
  const watched = new Set(
    alarms.flatMap(([, { Properties }]) =>
      ((Properties["Dimensions"] ?? []) as readonly { readonly Value: unknown }[]).map(
        ({ Value }) => `${String(Properties["MetricName"])} ${idOf(Value)}`,
      ),
    ),
  );
  const silent = alarms.flatMap(([id, { Properties }]) =>
    ((Properties["AlarmActions"] ?? []) as readonly unknown[]).length === 0 ? [`${id} tells nobody`] : [],
  );
  const wanted = [
    ...[...resourcesOf(template, "AWS::Lambda::Function").keys()].flatMap((id) => [`Errors ${id}`, `Throttles ${id}`]),
    ...[...resourcesOf(template, "AWS::SQS::Queue").keys()].map((id) =>
      id.startsWith("Dead") ? `ApproximateNumberOfMessagesVisible ${id}` : `ApproximateAgeOfOldestMessage ${id}`,
    ),
  ];
  return [...silent, ...wanted.filter((each) => !watched.has(each)).map((each) => `no alarm watches ${each}`)];
}
