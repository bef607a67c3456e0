/** A figure, and where it comes from: `measured` ones stand in docs/performance.md under the heading and the row that are named. */
export interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly source:
    | { readonly kind: "measured"; readonly heading: string; readonly row: string }
    | { readonly kind: "template"; readonly file: string }
    | { readonly kind: "assumed"; readonly why: string };
}

const measured = (value: number, unit: string, heading: string, row: string): Figure => ({
  value,
  unit,
  source: { kind: "measured", heading, row },
});
const assumed = (value: number, unit: string, why: string): Figure => ({ value, unit, source: { kind: "assumed", why } });
const template = (value: number, unit: string, file: string): Figure => ({ value, unit, source: { kind: "template", file } });

const quiet = "Sweep of 100 applications without drift";
const grown = "Sweep of clusters that grow";
const pushed = "1 of 100 applications changed (median of 7";
const webhook = "Webhook: 300 signed deliveries";

/** All that the model counts with. */
export const figures = {
  sweepCpu: measured(0.07, "CPU s", quiet, "CPU of the functions"),
  sweepTableCalls: measured(19, "requests", quiet, "requests to the table"),
  sweepGitCalls: measured(1, "requests", quiet, "requests to the Git host"),
  sweepClusterCalls: measured(4, "requests", quiet, "requests, most"),
  sweepCpuOfObjects: measured(0.435, "CPU s", grown, "10000 objects: CPU"),
  sweepCallsOfObjects: measured(13, "requests", grown, "10000 objects: requests"),
  pushCpu: measured(0.09, "CPU s", pushed, "CPU of the functions"),
  pushTableCalls: measured(30, "requests", pushed, "requests to the table"),
  pushGitCalls: measured(4, "requests", pushed, "requests to the Git host"),
  pushClusterCalls: measured(7, "requests", pushed, "requests to the API server"),
  webhookMs: measured(9.42, "ms", webhook, "answer, one at a time, median"),

  tableCallMs: assumed(5, "ms", "one call of DynamoDB from Lambda; all counted one after another"),
  gitCallMs: assumed(150, "ms", "one request to GitHub"),
  clusterCallMs: assumed(20, "ms", "one request to an EKS API server"),
  coldStartShare: assumed(0.2, "of invocations", "Lambda drops idle environments; a sweep every few minutes keeps one"),
  coldStartMs: assumed(400, "ms", "start of Node and the bundle, which is billed"),

  sweepReadsEach: assumed(1.5, "read units an application", "its row by a query (2 KB), its inventory by a batch (one item)"),
  sweepWrites: assumed(8, "write units a cluster", "lease, report, both with their index"),
  pushReads: assumed(40, "read units", "half of the calls, some of several items"),
  pushWrites: assumed(40, "write units", "half of the calls, rows of 1 to 3 KB, with their indexes"),
  rowBytes: assumed(12_000, "bytes an application", "row, inventory, snapshot and renders"),
  objectBytes: assumed(300, "bytes an object", "its entry in the inventory"),
  historyBytes: assumed(4000, "bytes a push", "rows of delivery and sync, with their index, for 90 days"),
  reportBytes: assumed(1500, "bytes a report", "rows of sweeps, with their index, for 30 days"),

  sweepLogBytes: assumed(3000, "bytes an invocation", "three lines, the metrics, and what Lambda writes"),
  pushLogBytes: assumed(12_000, "bytes a push", "thirty lines over three functions"),
  durableOperations: assumed(15, "operations a sync", "steps, waits and the execution"),
  durableBytes: assumed(8000, "bytes a sync", "results of its steps"),
  eventsEachPush: assumed(1.5, "deliveries a push", "tags, branches that nothing follows"),
  apiReadsEachDay: assumed(200, "requests a day", "people and their scripts"),
  pollsEachMinute: assumed(15, "requests a minute", "Lambda's five pollers of the queue, 20 s each"),
  keyReadsEachHour: assumed(72, "requests an hour", "DynamoDB asks KMS every five minutes for each of six roles"),

  memoryGb: template(1769 / 1024, "GB", "serverless.yml"),
  smallMemoryGb: template(0.5, "GB", "serverless.yml"),
  secrets: template(2, "secrets", "infra/secrets.yml"),
  alarms: template(26, "alarms", "infra/alarms.yml and infra/function-alarms.yml"),
  logDays: template(30, "days", "serverless.yml"),
  durableDays: template(14, "days", "serverless.yml"),
  /** DriftOpen, DriftDetected, DriftFights, SweepDuration, SweepRequests, SweepAge: of the installation, and of each cluster. */
  sweepMetrics: template(6, "metrics", "lib/telemetry/metrics.ts"),
  /** SyncDuration, SyncFailed, DriftHealed, in the hours in which something is synced. */
  syncMetrics: template(3, "metrics", "lib/telemetry/metrics.ts"),
  /** OldestUnsynced. */
  otherMetrics: template(1, "metrics", "lib/telemetry/metrics.ts"),
} as const satisfies Record<string, Figure>;

/** Their values alone. */
export const counted = Object.fromEntries(Object.entries(figures).map(([name, { value }]) => [name, value])) as Readonly<
  Record<keyof typeof figures, number>
>;
