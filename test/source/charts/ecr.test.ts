import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, describe, it } from "node:test";
import { type EcrDeps, ecrCredentials } from "../../../lib/source/charts/ecr.ts";
import { createHttpClient } from "../../../lib/source/http.ts";
import { type LoopbackServer, startHttp } from "../repositories.ts";
import { failure } from "./support.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const at = "2026-11-21T08:15:40.123Z";
const host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";

describe("registries of Amazon ECR", () => {
  const started: LoopbackServer[] = [];
  after(async () => {
    for (const one of started) await one.close();
  });
  const api = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
    let now = new Date(at);
    const server = await startHttp(answer);
    started.push(server);
    const clock = { now: () => now };
    const deps: EcrDeps = {
      credentials: async () => credentials,
      http: createHttpClient({ clock, timeoutMs: 5000 }),
      clock,
      endpoint: new URL(server.url),
    };
    return { find: ecrCredentials(deps), setTime: (time: string) => (now = new Date(time)) };
  };
  const token = (expiresAt: string): string =>
    JSON.stringify({
      authorizationData: [
        { authorizationToken: Buffer.from("AWS:canary:password").toString("base64"), expiresAt: Date.parse(expiresAt) / 1000 },
      ],
    });

  it("one token opens a region's registries until shortly before it ends; other hosts get none", async () => {
    const seen: (string | undefined)[] = [];
    const { find, setTime } = await api((request, response) => {
      seen.push(`${request.method} ${request.url} ${String(request.headers["x-amz-target"])}`);
      response.end(token("2026-11-21T20:15:40Z"));
    });
    const found = await find(host);
    assert.deepEqual([found?.username, found?.password.reveal()], ["AWS", "canary:password"]);
    for (const other of [
      "public.ecr.aws",
      `${host}:443`,
      `x.${host}`,
      `${host}.evil.example`,
      "123.dkr.ecr.eu-central-1.amazonaws.com",
    ])
      assert.equal(await find(other), undefined);
    setTime("2026-11-21T20:10:39Z");
    assert.equal(await find("210987654321.dkr.ecr.eu-central-1.amazonaws.com"), found);
    assert.equal(seen.length, 1);
    setTime("2026-11-21T20:10:41Z");
    await find(host);
    assert.deepEqual(seen, [`POST / ${target}`, `POST / ${target}`]);
  });

  for (const [status, body, retryable, words] of [
    [
      400,
      '{"__type":"AccessDeniedException","message":"canary"}',
      false,
      /answered 400: check that this function may call ecr:GetAuthorizationToken/,
    ],
    [500, "canary", true, /answered 500/],
    [200, "{}", true, /gave no token/],
    [200, '{"authorizationData":[{"authorizationToken":"canary","expiresAt":1}]}', true, /gave no token/],
    [200, "x".repeat(70_000), false, /more than a token/],
  ] as const) {
    it(`an answer ${status} of ${body.length} bytes is an error that names the region's service`, async () => {
      const { find } = await api((_request, response) => response.writeHead(status).end(body));
      const error = await failure(find(host));
      assert.match(error.message, words);
      assert.equal(error.retryable, retryable);
    });
  }
});
