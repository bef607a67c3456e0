import { type Clock, systemClock } from "./clock.ts";
import { redact } from "./redact.ts";

/** Every metric, with its unit of CloudWatch. */
export const metricUnits = {
  /** Open rows of drift. */
  DriftOpen: "Count",
  /** Rows that no sweep had seen before. */
  DriftDetected: "Count",
  /** Rows that a sync healed. */
  DriftHealed: "Count",
  /** Edits that the cluster refused. */
  DriftPrevented: "Count",
  /** Open rows that are not healed, since somebody reverts it. */
  DriftFights: "Count",
  SweepDuration: "Milliseconds",
  /** Requests to the API server. */
  SweepRequests: "Count",
  /** Between the beginnings of a sweep and of the one before it. */
  SweepAge: "Seconds",
  /** From the begin of a sync to its end, waits for health included. */
  SyncDuration: "Milliseconds",
  SyncFailed: "Count",
  /** Since the oldest revision was planned that is not synced yet, and is not held by anybody. */
  OldestUnsynced: "Seconds",
  /** From the receipt of a delivery to the begin of its plan. */
  QueueAge: "Seconds",
  /** Deliveries whose plan failed for good. */
  DeliveryFailed: "Count",
  /** Deliveries signed with the previous webhook secret. */
  PreviousSecretUsed: "Count",
} as const;

export type MetricName = keyof typeof metricUnits;

/** What was measured of the installation, of a cluster, which counts for the installation too, or of an application alone. */
export interface Measured {
  readonly cluster?: string;
  readonly application?: string;
  readonly values: Readonly<Partial<Record<MetricName, number>>>;
}

export interface Metrics {
  /** Nothing for no values. */
  emit(measured: Measured): void;
}

export interface JsonMetricsOptions {
  readonly clock?: Clock;
  readonly write?: (line: string) => void;
  /** Of every line, as of the log's. */
  readonly fields?: Readonly<Record<string, string>>;
}

export const metricNamespace = "Driftless";

/**
 * One line of the log a call, in CloudWatch's embedded metric format: CloudWatch takes the values out of the log by itself.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function jsonMetrics({ clock = systemClock, write = writeOut, fields = {} }: JsonMetricsOptions = {}): Metrics {
  return {
    emit({ cluster, application, values }) {
      const names = (Object.keys(metricUnits) as MetricName[]).filter((name) => values[name] !== undefined);
      if (names.length === 0) return;
      const now = clock.now();
      const line = {
        time: now.toISOString(),
        level: "info",
        event: "metrics",
        ...fields,
        ...(cluster === undefined ? {} : { cluster }),
        ...(application === undefined ? {} : { application }),
        ...Object.fromEntries(names.map((name) => [name, values[name]])),
        _aws: {
          Timestamp: now.getTime(),
          CloudWatchMetrics: [
            {
              Namespace: metricNamespace,
              Dimensions: dimensionsOf({ cluster, application }),
              Metrics: names.map((Name) => ({ Name, Unit: metricUnits[Name] })),
            },
          ],
        },
      };
      write(`${redact(JSON.stringify(line))}\n`);
    },
  };
}

/** Sets of dimensions; the empty one is that of the installation. */
function dimensionsOf({ cluster, application }: Readonly<Record<"cluster" | "application", string | undefined>>): string[][] {
  if (application !== undefined) return [["cluster", "application"]];
  return cluster === undefined ? [[]] : [[], ["cluster"]];
}

/** Metrics that nobody sees. */
export const silentMetrics: Metrics = { emit() {} };

function writeOut(line: string): void {
  process.stdout.write(line);
}
