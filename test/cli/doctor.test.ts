import assert from "node:assert/strict";
import { after, before, beforeEach, suite, test } from "node:test";
import { doctor } from "../../cli/commands/doctor.ts";
import { clockCheck, nodeCheck } from "../../cli/doctor/machine.ts";
import { type LoopbackServer, sendJson, startLoopback } from "../../cli/local/loopback.ts";
import type { Check } from "../../lib/model/check.ts";
import { type Account, type AwsStandIn, environmentOf, operator, startAws } from "./aws/stand-in.ts";
import { isSignedBy } from "./aws/verify-signature.ts";

const secretArn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:WebhookSecret-AbCdEf";
const secret = "s3cr3t-of-the-webhook-48-characters-long";

suite("driftless doctor, of an installation on AWS", () => {
  let aws: AwsStandIn;
  let gateway: LoopbackServer;
  /** What the functions behind the gateway say. */
  let behind: { webhook: number; status: number; items: readonly Check[]; asked: string };
  const outside = { ...process.env };

  function whole(url: string): Account {
    return {
      stack: {
        status: "UPDATE_COMPLETE",
        outputs: {
          HttpApiUrl: gateway.url,
          TableName: "driftless-prod-Table-1",
          RevisionQueueUrl: `${url}/111122223333/driftless-prod-revisions.fifo`,
          DeadRevisionQueueUrl: `${url}/111122223333/driftless-prod-revisions-dead.fifo`,
          DeadSyncQueueUrl: `${url}/111122223333/driftless-prod-syncs-dead`,
          WebhookSecretArn: secretArn,
          SyncRoleArn: "arn:aws:iam::111122223333:role/sync",
          SweepRoleArn: "arn:aws:iam::111122223333:role/sweep",
          PlanRoleArn: "arn:aws:iam::111122223333:role/plan",
          PreviewRoleArn: "arn:aws:iam::111122223333:role/preview",
        },
      },
      queues: { "driftless-prod-revisions.fifo": 0, "driftless-prod-revisions-dead.fifo": 0, "driftless-prod-syncs-dead": 0 },
      oldest: 0,
      table: { TableStatus: "ACTIVE", SSEDescription: { Status: "ENABLED" }, DeletionProtectionEnabled: true },
      pitr: "ENABLED",
      ttl: { TimeToLiveStatus: "ENABLED", AttributeName: "expiresAt" },
      secrets: { [secretArn]: JSON.stringify({ current: secret }) },
      denied: new Set(),
    };
  }

  before(async () => {
    gateway = await startLoopback(async (request, response) => {
      if (request.url === "/webhook") return sendJson(response, behind.webhook, {});
      behind.asked = request.url ?? "";
      if (!isSignedBy({ ...operator, service: "execute-api" }, request, Buffer.alloc(0)))
        return sendJson(response, 403, { message: "Forbidden" });
      return sendJson(response, behind.status, behind.status === 200 ? { items: behind.items } : { message: "Forbidden" });
    });
    aws = await startAws(whole(""));
    for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
    Object.assign(process.env, environmentOf(aws));
  });
  after(async () => {
    for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
    Object.assign(process.env, outside);
    await aws.close();
    await gateway.close();
  });
  beforeEach(() => {
    delete aws.account.date;
    Object.assign(aws.account, whole(aws.url));
    aws.asked.length = 0;
    behind = {
      webhook: 401,
      status: 200,
      items: [{ name: "cluster prod: reachable", status: "ok", message: "1.35", advice: "" }],
      asked: "",
    };
  });

  const run = (values: Readonly<Record<string, string>> = {}) =>
    doctor.run({
      output: "table",
      positionals: [],
      values,
      region: "eu-central-1",
      environment: { ...environmentOf(aws), XDG_CACHE_HOME: "/nowhere" },
      say: () => undefined,
    });
  const looked = async (): Promise<{
    readonly of: (name: string) => Check | undefined;
    readonly status: number;
    readonly text: string;
  }> => {
    const { json, text, status = 0 } = await run();
    const checks = JSON.parse(json) as readonly Check[];
    return { of: (name) => checks.find((check) => check.name === name), status, text };
  };

  test("a whole installation has nothing to do, and says so in one line a check", async () => {
    const { text, status } = await looked();
    assert.deepEqual([status, text.split("\n").at(-2)], [0, "Every link holds."]);
    assert.match(text, /^ok {4}node /);
    assert.match(text, /\nok {4}cluster prod: reachable +1\.35\n/);
    assert.ok(!text.includes("->"), text);
    assert.equal(behind.asked, `/api/doctor?webhook=${encodeURIComponent(`${gateway.url}/webhook`)}`);
  });

  const broken: readonly {
    readonly title: string;
    readonly name: string;
    readonly status: Check["status"];
    readonly says: RegExp;
    readonly breaks: (account: Account) => void;
  }[] = [
    {
      title: "a stack that is not there",
      name: "stack",
      status: "fail",
      says: /no stack driftless-prod.*driftless init/,
      breaks: (a) => void (a.stack = undefined),
    },
    {
      title: "a stack whose deployment failed",
      name: "stack",
      status: "fail",
      says: /UPDATE_ROLLBACK_COMPLETE/,
      breaks: (a) => void (a.stack!.status = "UPDATE_ROLLBACK_COMPLETE"),
    },
    {
      title: "a stack of an older version",
      name: "stack",
      status: "fail",
      says: /no output PreviewRoleArn/,
      breaks: (a) => void delete a.stack!.outputs["PreviewRoleArn"],
    },
    {
      title: "a right of the operator that is missing",
      name: "webhook: secret",
      status: "skipped",
      says: /lack secretsmanager:GetSecretValue/,
      breaks: (a) => void a.denied.add("GetSecretValue"),
    },
    {
      title: "a clock that is wrong",
      name: "clock",
      status: "fail",
      says: /this machine is \d+ s behind AWS.*NTP/,
      breaks: (a) => void (a.date = "Sat, 01 Jan 2033 00:00:00 GMT"),
    },
    {
      title: "messages that wait too long",
      name: "queue",
      status: "fail",
      says: /3 waiting, the oldest for 1800 s.*plan function/,
      breaks: (a) => void ((a.queues["driftless-prod-revisions.fifo"] = 3), (a.oldest = 1800)),
    },
    {
      title: "a queue that is gone",
      name: "queue",
      status: "fail",
      says: /QueueDoesNotExist/,
      breaks: (a) => void delete a.queues["driftless-prod-revisions.fifo"],
    },
    {
      title: "dead letters",
      name: "dead letters: revisions",
      status: "warn",
      says: /2 given up.*purge-queue/,
      breaks: (a) => void (a.queues["driftless-prod-revisions-dead.fifo"] = 2),
    },
    {
      title: "syncs that could not be started",
      name: "dead letters: syncs",
      status: "warn",
      says: /1 given up/,
      breaks: (a) => void (a.queues["driftless-prod-syncs-dead"] = 1),
    },
    {
      title: "a table that is not active",
      name: "table",
      status: "fail",
      says: /is DELETING/,
      breaks: (a) => void (a.table["TableStatus"] = "DELETING"),
    },
    {
      title: "a table that can be deleted",
      name: "table",
      status: "warn",
      says: /can be deleted by one call/,
      breaks: (a) => void (a.table["DeletionProtectionEnabled"] = false),
    },
    {
      title: "no backup",
      name: "table: backup",
      status: "warn",
      says: /point-in-time recovery is off/,
      breaks: (a) => void (a.pitr = "DISABLED"),
    },
    {
      title: "no expiry",
      name: "table: expiry",
      status: "warn",
      says: /never expire/,
      breaks: (a) => void (a.ttl = { TimeToLiveStatus: "DISABLED" }),
    },
    {
      title: "expiry by another attribute",
      name: "table: expiry",
      status: "fail",
      says: /expire by ttl/,
      breaks: (a) => void (a.ttl = { TimeToLiveStatus: "ENABLED", AttributeName: "ttl" }),
    },
    {
      title: "a previous webhook secret",
      name: "webhook: secret",
      status: "warn",
      says: /the previous secret is still good/,
      breaks: (a) => void (a.secrets[secretArn] = JSON.stringify({ current: secret, previous: "older-secret" })),
    },
    {
      title: "a malformed webhook secret",
      name: "webhook: secret",
      status: "fail",
      says: /does not hold webhook secrets/,
      breaks: (a) => void (a.secrets[secretArn] = `{"curent": "${secret}"}`),
    },
    {
      title: "a secret that is easily guessed",
      name: "webhook: secret",
      status: "warn",
      says: /shorter than 20/,
      breaks: (a) => void (a.secrets[secretArn] = "hunter2"),
    },
  ];
  for (const { title, name, status, says, breaks } of broken) {
    test(`${title}: ${status}, with what to do`, async () => {
      breaks(aws.account);
      const found = await looked();
      const check = found.of(name);
      assert.equal(check?.status, status);
      assert.match(`${check?.message} ${check?.advice}`, says);
      assert.equal(found.status, status === "fail" ? 1 : 0);
      for (const word of [secret, "older-secret", "hunter2"]) assert.ok(!found.text.includes(word), `${word} is printed`);
    });
  }

  test("a webhook that takes what is not signed, or cannot read its secret, or is not there, fails", async () => {
    for (const [answer, says] of [
      [202, /took a delivery with a forged signature/],
      [503, /answered 503.*webhook\.failed/],
      [404, /answered 404 to a forged signature/],
    ] as const) {
      behind.webhook = answer;
      const check = (await looked()).of("webhook: address");
      assert.equal(check?.status, "fail");
      assert.match(`${check?.message} ${check?.advice}`, says);
    }
  });

  test("an API that lets nobody in is a right that is missing, and one link among others", async () => {
    behind.status = 403;
    const found = await looked();
    assert.equal(found.of("api")?.status, "fail");
    assert.match(
      found.of("api")?.message ?? "",
      /execute-api:Invoke on arn:aws:execute-api:eu-central-1:ACCOUNT:API\/\*\/GET\/api\/doctor/,
    );
    assert.equal(found.of("table")?.status, "ok");
  });

  test("what is broken inside fails the whole", async () => {
    behind.items = [{ name: "cluster prod: reachable", status: "fail", message: "away", advice: "start it" }];
    const { text, status } = await looked();
    assert.equal(status, 1);
    assert.match(text, /\nFAIL {2}cluster prod: reachable +away\n +-> start it\n\n1 broken, 0 to look at\.\n$/);
  });
});

test("a machine whose Node or clock is off is told so", () => {
  assert.equal(nodeCheck("22.4.0").status, "fail");
  assert.equal(nodeCheck("24.21.0").status, "ok");
  assert.equal(clockCheck(30_000).status, "ok");
  assert.equal(clockCheck(-120_000).status, "warn");
  assert.match(clockCheck(-120_000).message, /120 s ahead of AWS/);
  assert.equal(clockCheck(undefined).status, "skipped");
});
