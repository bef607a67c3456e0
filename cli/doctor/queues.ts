import type { Check } from "../../lib/model/check.ts";
import { type AwsCalls, valuesOf } from "../aws/calls.ts";
import { checked } from "./checked.ts";

export interface QueueLinks {
  readonly queueUrl: string;
  /** With the word for what is in each. */
  readonly dead: readonly { readonly name: string; readonly url: string }[];
  readonly now: Date;
}

const counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"];
/** Seconds: a message is tried again every five minutes; after ten tries it is a dead letter. */
const lateSeconds = 900;

export async function queueChecks(aws: AwsCalls, { queueUrl, dead, now }: QueueLinks): Promise<readonly Check[]> {
  const queue = checked("queue", {
    needs: "sqs:GetQueueAttributes on the queue of revisions",
    async look(check) {
      const waiting = await depthOf(aws, queueUrl);
      const age = waiting === 0 ? 0 : await ageOf(aws, queueUrl, now);
      const text = `${waiting} waiting${age > 0 ? `, the oldest for ${age} s` : ""}`;
      if (age > lateSeconds)
        return check.fail(
          text,
          "see the log of the plan function: driftless logs, and `queue.work-failed` in docs/operations.md",
        );
      return check.ok(text);
    },
  });
  const letters = dead.map(({ name, url }) =>
    checked(`dead letters: ${name}`, {
      needs: `sqs:GetQueueAttributes on ${nameOf(url)}`,
      async look(check) {
        const count = await depthOf(aws, url);
        if (count === 0) return check.ok("none");
        const advice = `look at them (aws sqs receive-message --queue-url ${url}); the sweep makes up for them, so then: aws sqs purge-queue --queue-url ${url}`;
        return check.warn(`${count} given up`, advice);
      },
    }),
  );
  return (await Promise.all([queue, ...letters])).flat();
}

/** Messages, those being worked on included. */
async function depthOf(aws: AwsCalls, url: string): Promise<number> {
  const { Attributes } = await aws.json("sqs", "GetQueueAttributes", { QueueUrl: url, AttributeNames: counts });
  const values = Attributes as Readonly<Record<string, string>> | undefined;
  return counts.reduce((sum, name) => sum + Number(values?.[name] ?? 0), 0);
}

/** Seconds, by the metric that SQS keeps; 0 where CloudWatch has none, or may not be asked. */
async function ageOf(aws: AwsCalls, url: string, now: Date): Promise<number> {
  const request = {
    Namespace: "AWS/SQS",
    MetricName: "ApproximateAgeOfOldestMessage",
    "Dimensions.member.1.Name": "QueueName",
    "Dimensions.member.1.Value": nameOf(url),
    StartTime: new Date(now.getTime() - 15 * 60_000).toISOString(),
    EndTime: now.toISOString(),
    Period: "60",
    "Statistics.member.1": "Maximum",
  };
  const xml = await aws.query("monitoring", "GetMetricStatistics", request).catch(() => "");
  const times = valuesOf(xml, "Timestamp");
  const values = valuesOf(xml, "Maximum").map(Number);
  const newest = times.indexOf([...times].sort().at(-1) ?? "");
  return Math.round(values[newest] ?? 0);
}

function nameOf(url: string): string {
  return url.split("/").at(-1) ?? url;
}
