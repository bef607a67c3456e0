import { counted as n } from "./measured.ts";
import type { Prices } from "./prices.ts";

/** What an installation has to do. */
export interface Load {
  readonly applications: number;
  readonly clusters: number;
  /** Of each application. */
  readonly objects: number;
  readonly pushesPerDay: number;
  /** Seconds between sweeps. */
  readonly interval: number;
  /** Whether a topic for alarms is named. */
  readonly alarms: boolean;
  /** Whether GitHub is read by an App. */
  readonly github: boolean;
}

/** One line of the bill, for a month of 730 hours. */
export interface CostLine {
  readonly service: string;
  readonly what: string;
  readonly amount: number;
  readonly unit: string;
  readonly usd: number;
}

const hours = 730;
const days = hours / 24;
const seconds = hours * 3600;
const million = 1e6;
const gb = 1e9;

/** Every line that the load costs; all that is metered by AWS for the template as it stands, without free tiers. */
export function costOf(load: Load, prices: Prices): readonly CostLine[] {
  const work = workOf(load);
  return [
    ...computeLines(work, prices),
    ...storageLines(load, work, prices),
    ...watchLines(load, work, prices),
    ...standingLines(load, work, prices),
  ];
}

/** How often things happen in a month, and how long they take. */
interface Work {
  readonly sweeps: number;
  /** One for each cluster of each sweep. */
  readonly shards: number;
  readonly pushes: number;
  readonly deliveries: number;
  readonly invocations: number;
  readonly gbSeconds: number;
}

function workOf({ applications, clusters, objects, pushesPerDay, interval }: Load): Work {
  const sweeps = seconds / interval;
  const shards = sweeps * clusters;
  const pushes = pushesPerDay * days;
  const deliveries = pushes * n.eventsEachPush;
  const apiReads = n.apiReadsEachDay * days;
  const invocations = sweeps + shards + deliveries + pushes * 2 + apiReads;

  const objectsEach = (applications * objects) / clusters;
  const scale = Math.max(1, applications / 100);
  const startSeconds = n.sweepCpu / 3 + (n.sweepTableCalls * n.tableCallMs) / 2000 + (n.sweepGitCalls * n.gitCallMs) / 1000;
  const shardSeconds =
    (n.sweepCpu * applications) / 100 / clusters +
    (n.sweepCpuOfObjects * objectsEach) / 10_000 +
    (n.sweepTableCalls * n.tableCallMs * scale) / 1000 / clusters +
    ((n.sweepClusterCalls + (n.sweepCallsOfObjects * objectsEach) / 10_000) * n.clusterCallMs) / 1000;
  const pushSeconds =
    n.pushCpu + (n.pushTableCalls * n.tableCallMs + n.pushGitCalls * n.gitCallMs + n.pushClusterCalls * n.clusterCallMs) / 1000;
  const largeSeconds = sweeps * startSeconds + shards * shardSeconds + pushes * pushSeconds;
  const smallSeconds = (deliveries * (n.webhookMs + 3 * n.tableCallMs)) / 1000 + (apiReads * 4 * n.tableCallMs) / 1000;
  const coldSeconds = (invocations * n.coldStartShare * n.coldStartMs) / 1000;
  const gbSeconds = (largeSeconds + coldSeconds) * n.memoryGb + smallSeconds * n.smallMemoryGb;
  return { sweeps, shards, pushes, deliveries, invocations, gbSeconds };
}

type Line = (service: string, what: string, amount: number, unit: string, usd: number) => CostLine;
const line: Line = (service, what, amount, unit, usd) => ({ service, what, amount, unit, usd });

function computeLines({ pushes, invocations, gbSeconds }: Work, prices: Prices): readonly CostLine[] {
  const operations = pushes * n.durableOperations;
  const written = (pushes * n.durableBytes) / gb;
  return [
    line("Lambda", "requests", invocations, "requests", (invocations / million) * prices.lambdaMillionRequests),
    line("Lambda", "memory by time, arm64", gbSeconds, "GB-s", gbSeconds * prices.lambdaGbSecond),
    line("Lambda", "durable operations", operations, "operations", (operations / million) * prices.durableMillionOperations),
    line(
      "Lambda",
      "durable state, written and kept",
      written,
      "GB",
      written * prices.durableGbWritten + written * (n.durableDays / days) * prices.durableGbMonthKept,
    ),
  ];
}

function storageLines({ applications, clusters, objects }: Load, work: Work, prices: Prices): readonly CostLine[] {
  const { sweeps, shards, pushes } = work;
  const reads =
    sweeps * applications * n.sweepReadsEach + pushes * n.pushReads + n.apiReadsEachDay * days * (applications / 2 + 4);
  const writes = shards * n.sweepWrites + pushes * n.pushWrites;
  const rows = applications * (n.rowBytes + objects * n.objectBytes);
  const history = pushes * (90 / days) * n.historyBytes + sweeps * clusters * (30 / days) * n.reportBytes;
  const stored = (rows + history) / gb;
  return [
    line("DynamoDB", "reads", reads, "units", (reads / million) * prices.dynamodbMillionReads),
    line("DynamoDB", "writes", writes, "units", (writes / million) * prices.dynamodbMillionWrites),
    line("DynamoDB", "rows, with their backup", stored, "GB", stored * (prices.dynamodbGbMonth + prices.dynamodbBackupGbMonth)),
  ];
}

function watchLines({ clusters, pushesPerDay, alarms }: Load, work: Work, prices: Prices): readonly CostLine[] {
  const written = ((work.sweeps + work.shards) * n.sweepLogBytes + work.pushes * n.pushLogBytes) / gb;
  const kept = written * (n.logDays / days);
  // A metric is paid for by the hour in which it is measured.
  const busy = Math.min(24, pushesPerDay) / 24;
  const metrics = n.otherMetrics + n.sweepMetrics * (1 + clusters) + busy * (n.syncMetrics * (1 + clusters) + 1);
  const count = alarms ? n.alarms : 0;
  return [
    line("CloudWatch", "logs, written and kept", written, "GB", written * prices.logsGbWritten + kept * prices.logsGbMonth),
    line("CloudWatch", "metrics", metrics, "metrics", metrics * prices.metricMonth),
    line("CloudWatch", "alarms", count, "alarms", count * prices.alarmMonth),
    line("CloudWatch", "dashboard", 1, "dashboard", prices.dashboardMonth),
  ];
}

function standingLines({ github }: Load, { sweeps, pushes, deliveries, invocations }: Work, prices: Prices): readonly CostLine[] {
  const polls = n.pollsEachMinute * hours * 60 + pushes * 3;
  const secrets = n.secrets + (github ? 1 : 0);
  const secretReads = invocations * n.coldStartShare * (github ? 2 : 1);
  const keyReads = n.keyReadsEachHour * hours;
  const requests = deliveries + n.apiReadsEachDay * days;
  return [
    line("SQS", "requests, polling included", polls, "requests", (polls / million) * prices.sqsFifoMillionRequests),
    line("Secrets Manager", "secrets", secrets, "secrets", secrets * prices.secretMonth),
    line("Secrets Manager", "reads", secretReads, "requests", (secretReads / 10_000) * prices.secretTenThousandReads),
    line("KMS", "requests for the table", keyReads, "requests", (keyReads / 10_000) * prices.kmsTenThousandRequests),
    line("Scheduler", "starts", sweeps, "starts", (sweeps / million) * prices.schedulerMillionStarts),
    line("HTTP API", "requests", requests, "requests", (requests / million) * prices.httpApiMillionRequests),
    line("NAT gateway", "none", 0, "gateways", 0),
  ];
}

export function totalOf(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { usd }) => sum + usd, 0);
}
