import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { build } from "esbuild";
import { type LocalSecrets, startSecrets } from "../../cli/local/secrets.ts";
import { aPush, currentSecret, head, headersFor, previousSecret, sign } from "../github/deliveries.ts";
import { intakeAround } from "../github/intake.ts";

type Handler = (event: APIGatewayProxyEventV2, context: object) => Promise<APIGatewayProxyStructuredResultV2>;

const source = new URL("../../functions/webhook.ts", import.meta.url);

/** The event that an HTTP API makes of a request, payload format 2.0. */
function eventOf(
  body: Uint8Array,
  headers: Record<string, string>,
  { base64 = true, path = "/webhook", method = "POST" } = {},
): APIGatewayProxyEventV2 {
  return {
    version: "2.0",
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: "",
    headers: { ...headers, "content-length": String(body.length) },
    requestContext: {
      accountId: "000000000000",
      apiId: "api",
      domainName: "api.example",
      domainPrefix: "api",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "GitHub-Hookshot/044aadd" },
      requestId: randomUUID(),
      routeKey: `${method} ${path}`,
      stage: "$default",
      time: "01/Mar/2025:12:00:00 +0000",
      timeEpoch: 1740830400000,
    },
    isBase64Encoded: base64,
    ...(body.length === 0 ? {} : { body: Buffer.from(body).toString(base64 ? "base64" : "utf8") }),
  };
}

suite("the webhook function behind an HTTP API", () => {
  const intake = intakeAround();
  const environment = { ...process.env };
  let secrets: LocalSecrets;
  let handler: Handler;
  const output: string[] = [];
  const write = process.stdout.write.bind(process.stdout);

  before(async () => {
    secrets = await startSecrets({ secrets: { webhook: JSON.stringify({ current: currentSecret, previous: previousSecret }) } });
    Object.assign(process.env, {
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_ENDPOINT_URL_DYNAMODB: intake.endpoints.table,
      AWS_ENDPOINT_URL_SQS: intake.endpoints.queue,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      DRIFTLESS_TABLE: intake.table,
      DRIFTLESS_QUEUE_URL: intake.queueUrl,
      DRIFTLESS_WEBHOOK_SECRET_ID: "webhook",
      DRIFTLESS_LOG_LEVEL: "info",
    });
    handler = await coldStart();
    process.stdout.write = (chunk: string | Uint8Array, ...rest: never[]) => {
      const text = String(chunk);
      if (!text.startsWith('{"time":')) return write(chunk, ...rest);
      output.push(text);
      return true;
    };
  });
  after(async () => {
    process.stdout.write = write;
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
    await secrets.close();
  });

  /** A module of its own for this environment, whoever else imports the function in this process. */
  async function coldStart(): Promise<Handler> {
    return ((await import(`${source.href}?${randomUUID()}`)) as { handler: Handler }).handler;
  }

  async function deliver(
    text: string | Uint8Array,
    change: Record<string, string | undefined> = {},
    options: Parameters<typeof eventOf>[2] = {},
  ) {
    const body = Buffer.from(text);
    const { statusCode, body: answer = "", headers } = await handler(eventOf(body, headersFor(body, change), options), {});
    return { status: statusCode, answer: JSON.parse(answer) as Record<string, string>, headers };
  }

  const push = JSON.stringify(aPush());

  const written: readonly (readonly [string, string])[] = [
    ["as GitHub writes it", push],
    ["with an emoji", JSON.stringify(aPush({ note: "\u{1f680}" }))],
    ["with an escaped letter", push.replace("über", "\\u00fcber")],
    ["with Windows line ends", JSON.stringify(aPush(), null, 2).replaceAll("\n", "\r\n")],
    [
      "with a commit message that no queue takes (B9)",
      JSON.stringify(aPush({ head_commit: { id: head, message: "\u{1f680}\ufffe\u0000\ud800" } })),
    ],
    ["with keys in another order", JSON.stringify(Object.fromEntries(Object.entries(aPush()).toReversed()))],
  ];
  for (const [how, body] of written) {
    for (const base64 of [true, false]) {
      test(`a signed push ${how}, ${base64 ? "in base64" : "as text"}, is in the table and the queue when it is answered`, async () => {
        const id = randomUUID();
        const { status, answer } = await deliver(body, { "x-github-delivery": id }, { base64 });
        assert.deepEqual([status, answer], [202, { delivery: id, state: "queued" }]);
        assert.deepEqual(await intake.drain(), [
          {
            repository: "https://github.com/acme/guestbook.git",
            branch: "main",
            correlationId: id,
            after: head,
            repositoryId: 186853002,
          },
        ]);
        assert.equal((await intake.rowOf(id))?.state, "queued");
      });
    }
  }

  test("a redelivery is answered 200 and queues nothing", async () => {
    const change = { "x-github-delivery": randomUUID() };
    assert.equal((await deliver(push, change)).status, 202);
    const { status, answer } = await deliver(push, change);
    assert.deepEqual([status, answer["state"]], [200, "duplicate"]);
    assert.equal((await intake.drain()).length, 1);
  });

  test("a ping is answered 200", async () => {
    const { status, answer } = await deliver('{"zen":"Keep it simple."}', {
      "x-github-event": "ping",
      "x-github-delivery": "ping-1",
    });
    assert.deepEqual([status, answer], [200, { delivery: "ping-1", state: "ignored", reason: "a ping: the webhook is set up" }]);
  });

  test("a delivery signed with the previous secret is taken in, and with a new one as soon as it stands", async () => {
    handler = await coldStart();
    assert.equal((await deliver(push, { secret: previousSecret })).status, 202);
    secrets.put("webhook", JSON.stringify({ current: "the next secret", previous: currentSecret }));
    assert.equal((await deliver(push, { secret: "the next secret" })).status, 202);
    assert.equal((await intake.drain()).length, 2);
    secrets.put("webhook", JSON.stringify({ current: currentSecret, previous: previousSecret }));
    handler = await coldStart();
  });

  const refused: readonly (readonly [string, number, Parameters<typeof deliver>])[] = [
    ["forged", 401, [push, { secret: "guessed" }]],
    ["signed for another body", 401, [push, { "x-hub-signature-256": sign("{}") }]],
    ["not signed", 401, [push, { "x-hub-signature-256": undefined }]],
    ["of bytes that are not UTF-8", 401, [Uint8Array.of(0x7b, 0xff, 0x7d)]],
    ["empty", 401, [""]],
    ["without delivery id", 400, [push, { "x-github-delivery": undefined }]],
    ["not JSON", 400, ["ref=main"]],
    ["without repository", 400, ['{"ref":"refs/heads/main"}']],
    ["a form", 415, [`payload=${encodeURIComponent(push)}`, { "content-type": "application/x-www-form-urlencoded" }]],
    ["above 6 MiB", 413, [`"${"x".repeat(6 * 1024 * 1024)}"`]],
    ["for another path", 404, [push, {}, { path: "/" }]],
    ["a GET", 405, ["", {}, { method: "GET" }]],
  ];
  for (const [what, expected, delivery] of refused) {
    test(`a delivery ${what} is refused with ${expected}, and neither row nor message comes of it`, async () => {
      const rows = (await intake.rows()).length;
      assert.equal((await deliver(...delivery)).status, expected);
      assert.deepEqual(await intake.drain(), []);
      assert.equal((await intake.rows()).length, rows);
    });
  }

  test("every line of the log is JSON, with the delivery's id but for what is measured, and shows no secret", async () => {
    output.length = 0;
    const id = randomUUID();
    await deliver(push, { "x-github-delivery": id, secret: previousSecret });
    await deliver(push, { "x-github-delivery": id, secret: "guessed" });
    await intake.drain();
    const lines = output.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.ok(lines.length >= 3);
    const told = lines.filter(({ event }) => event !== "metrics");
    assert.deepEqual([...new Set(told.map((line) => line["correlationId"]))], [id]);
    for (const secret of [currentSecret, previousSecret]) assert.ok(!output.join("").includes(secret));
  });
});

suite("the webhook function's bundle", () => {
  test("is at most 600 KB, and knows no cluster and no renderer", async () => {
    const { metafile, outputFiles } = await build({
      entryPoints: [source.pathname],
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      platform: "node",
      format: "esm",
      target: "node24",
      mainFields: ["module", "main"],
    });
    const foreign = Object.keys(metafile.inputs).filter((file) =>
      /@kubernetes|lib\/(?:render|cluster|source|apply|drift|plan|health)\/|node_modules\/yaml\//.test(file),
    );
    assert.deepEqual(foreign, []);
    assert.ok(outputFiles[0]!.contents.length <= 600 * 1024, `${outputFiles[0]!.contents.length} bytes`);
  });
});
