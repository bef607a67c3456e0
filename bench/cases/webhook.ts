import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import type { PushedRef } from "../../cli/local/git-server.ts";
import { DriftlessError } from "../../lib/errors.ts";
import { configurationText } from "../applications.ts";
import type { Bed } from "../bed.ts";
import { percentile } from "../figures.ts";
import { type BenchCase, figures } from "./case.ts";

const deliveries = 300;
const atOnce = 8;
const drainSeconds = 180;

/**
 * Each delivery is a push to a branch that no application uses: signed, checked, written down, queued and answered like any
 * other, and then planned by the very process that answers, which on AWS would be another machine's work.
 */
export const webhook: BenchCase = {
  name: "webhook",
  title: () => `Webhook: ${deliveries} signed deliveries`,
  async run(bed) {
    const push = await bed.push({ "driftless.yaml": configurationText([]) });
    const unused = { ...push, ref: "refs/heads/unused" };
    await answers(bed, unused, { count: 20, atOnce: 1 });
    await drained(bed);
    const tags = await answers(bed, { ...push, ref: "refs/tags/unused" }, { count: deliveries, atOnce: 1 });
    const alone = await answers(bed, unused, { count: deliveries, atOnce: 1 });
    await drained(bed);
    const together = await answers(bed, unused, { count: deliveries, atOnce });
    await drained(bed);
    return figures(
      {
        name: "webhook-nothing-p99",
        title: "answer to what starts nothing (a tag), one at a time, 99th percentile",
        value: percentile(tags, 99),
        unit: "ms",
      },
      { name: "webhook-alone-p50", title: "answer, one at a time, median", value: percentile(alone, 50), unit: "ms" },
      {
        name: "webhook-alone-p99",
        title: "answer, one at a time, 99th percentile",
        value: percentile(alone, 99),
        unit: "ms",
        goal: 50,
      },
      { name: "webhook-together-p50", title: `answer, ${atOnce} at once, median`, value: percentile(together, 50), unit: "ms" },
      {
        name: "webhook-together-p99",
        title: `answer, ${atOnce} at once, 99th percentile`,
        value: percentile(together, 99),
        unit: "ms",
        goal: 50,
      },
    );
  },
};

/** Milliseconds until each delivery was answered. */
async function answers(
  bed: Bed,
  push: PushedRef,
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
): Promise<readonly number[]> {
  const taken: number[] = [];
  let left = count;
  const sender = async (): Promise<void> => {
    while (left-- > 0) {
      const started = performance.now();
      await bed.deliver({ ...push, after: randomBytes(20).toString("hex") });
      taken.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sender));
  return taken;
}

/** Waits until every queued push was planned, so that nothing of it is left to disturb what comes next. */
async function drained({ installation: { sqs, queueUrl }, signal }: Bed): Promise<void> {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  for (let look = 0; look < drainSeconds * 5; look++) {
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }));
    if (names.every((name) => Number(Attributes[name] ?? 0) === 0)) return;
    await pause(200, undefined, { signal });
  }
  throw new DriftlessError("queue", `the queue was not empty after ${drainSeconds} s`);
}
