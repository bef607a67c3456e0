import type { Check } from "../../lib/model/check.ts";
import type { AwsCalls } from "../aws/calls.ts";
import { describeStack, type Stack } from "../aws/stack.ts";
import { checked } from "./checked.ts";

/** Outputs without which other checks have nothing to look at. */
const needed = [
  "HttpApiUrl",
  "TableName",
  "RevisionQueueUrl",
  "DeadRevisionQueueUrl",
  "WebhookSecretArn",
  "SyncRoleArn",
  "SweepRoleArn",
  "PlanRoleArn",
  "PreviewRoleArn",
];

/** Finds the stack, and says how it stands; `stack` is undefined when there is none to look at. */
export async function stackCheck(
  aws: AwsCalls,
  name: string,
): Promise<{ readonly checks: readonly Check[]; readonly stack?: Stack }> {
  let stack: Stack | undefined;
  const checks = await checked("stack", {
    needs: `cloudformation:DescribeStacks on ${name}`,
    async look(check) {
      stack = await describeStack(aws, name);
      if (stack === undefined)
        return check.fail(
          `there is no stack ${name} here`,
          "deploy it (driftless init prints the commands), or name another with --stack or --region",
        );
      const { status, outputs } = stack;
      if (status.endsWith("IN_PROGRESS")) return check.warn(`${name} is ${status}`, "wait until it is done, then look again");
      if (/ROLLBACK|FAILED/.test(status))
        return check.fail(
          `${name} is ${status}`,
          "its events in CloudFormation say what failed: put that right and deploy again",
        );
      const missing = needed.filter((key) => !outputs.has(key));
      if (missing.length > 0)
        return check.fail(
          `${name} has no output ${missing.join(", ")}`,
          "deploy this version of Driftless, or name its stack with --stack",
        );
      return check.ok(`${name} is ${status}`);
    },
  });
  return { checks, ...(stack === undefined ? {} : { stack }) };
}
