import assert from "node:assert/strict";
import { test } from "node:test";
import { loggingFunctions } from "../../../cli/logs/queries.ts";
import { startLogsService } from "../../support/logs-service.ts";
import { runDriftless } from "../run.ts";

const credentials = { AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local", AWS_REGION: "us-east-1" };

test("driftless logs asks CloudWatch Logs of the stack that is named", async () => {
  const service = await startLogsService();
  const write = (name: string, event: string, fields: object): void => {
    const line = { time: new Date().toISOString(), level: "info", event, function: name, correlationId: "d1", ...fields };
    service.put(`/aws/lambda/driftless-qa-${name}`, JSON.stringify(line));
  };
  for (const name of loggingFunctions) service.put(`/aws/lambda/driftless-qa-${name}`, "START RequestId: 1");
  write("webhook", "webhook.queued", { branch: "main", after: "17045a6f" });
  write("plan", "plan.changed", { application: "shop", objects: 3, reused: false });
  try {
    const environment = { ...credentials, AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: service.endpoint };
    const { status, stdout, stderr } = await runDriftless(["logs", "shop", "--stack", "driftless-qa"], { environment });
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^Delivery d1\n/);
    assert.match(stdout, /webhook {2,}push to main taken in, head 17045a6\n/);
    assert.match(stdout, /\nshop: delivered -> planned [\d.]+ s\n$/);
    const json = await runDriftless(["logs", "--delivery", "d1", "--output", "json", "--stack", "driftless-qa"], { environment });
    const [story] = JSON.parse(json.stdout) as readonly { readonly id: string; readonly lines: readonly object[] }[];
    assert.deepEqual([story?.id, story?.lines.length], ["d1", 2]);
    const none = await runDriftless(["logs", "blog", "--since", "5m", "--stack", "driftless-qa"], { environment });
    assert.equal(none.stdout, "nothing in the last 5m in CloudWatch Logs of driftless-qa in us-east-1\n");
    assert.equal(service.queries.length, 4);
  } finally {
    await service.close();
  }
});

const wrong: readonly (readonly [args: readonly string[], status: number, reason: RegExp])[] = [
  [["--since", "yesterday"], 2, /--since is a duration such as 30m or 24h, not yesterday/],
  [["--delivery", "a", "--sync", "b"], 2, /--delivery and --sync cannot stand together/],
  [[], 1, /no Driftless is known here: start one with `npm start`, or name one on AWS with --stack and --region/],
  [["--stack", "driftless-qa"], 1, /--region is missing/],
];
for (const [args, expected, reason] of wrong) {
  test(`driftless logs ${args.join(" ")} says what is wrong`, async () => {
    const { status, stdout, stderr } = await runDriftless(["logs", ...args]);
    assert.deepEqual([status, stdout], [expected, ""]);
    assert.match(stderr, reason);
  });
}
