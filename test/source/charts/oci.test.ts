import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import type { ChartReference } from "../../../lib/model/chart.ts";
import type { LoopbackServer } from "../repositories.ts";
import {
  anArchive,
  configType,
  contentType,
  type Front,
  type Manifest,
  type PushedChart,
  pushChart,
  sha256,
  startFront,
  startRegistry,
} from "./registry.ts";
import { basicAda, credentialsFor, failure, someCharts } from "./support.ts";

const archive = anArchive("shop 1.2.3");
const shop = { repository: "acme/charts/shop", config: { apiVersion: "v2", name: "shop", version: "1.2.3" }, archive };

describe("charts of a registry", () => {
  let registry: LoopbackServer;
  let digest = "";
  const started: LoopbackServer[] = [];

  before(async () => {
    registry = await startRegistry();
    digest = await push({});
  });
  after(async () => {
    for (const one of started) await one.close();
    await registry.close();
  });

  const push = (options: Partial<PushedChart>): Promise<string> =>
    pushChart({ ...shop, registry: registry.url, tag: "1.2.3", ...options });

  const front = async (answer?: (request: IncomingMessage, response: ServerResponse) => boolean): Promise<Front> => {
    const one = await startFront(registry.url, answer);
    started.push(one);
    return one;
  };
  const chartAt = (url: string, changes: Partial<ChartReference> = {}): ChartReference => ({
    repository: `${url.replace("http:", "oci:")}/acme/charts`,
    name: "shop",
    version: "1.2.3",
    digest,
    ...changes,
  });

  it("a chart is read by the digest of its manifest, whatever its tag says meanwhile", async () => {
    const { host, url, seen } = await front();
    const first = await push({ tag: "9.0.0", config: { name: "shop", version: "9.0.0" } });
    await push({ tag: "9.0.0", config: { name: "shop", version: "9.0.0", description: "published again" } });
    const fetched = await someCharts().fetch(
      chartAt(url, { version: "9.0.0", digest: first, repository: `oci://${host}/acme/charts/` }),
    );
    assert.deepEqual(Buffer.from(fetched), archive);
    assert.deepEqual(
      seen.map(({ url: path }) => path.replace(/sha256:\w+/, "DIGEST")),
      ["/v2/acme/charts/shop/manifests/DIGEST", "/v2/acme/charts/shop/blobs/DIGEST", "/v2/acme/charts/shop/blobs/DIGEST"],
    );
  });

  it("the digest of a version is found for people who pin it, with + in the version as _ in the tag", async () => {
    assert.deepEqual(await someCharts().resolve(chartAt(registry.url)), { digest });
    const built = await push({ tag: "1.2.3_build.7", config: { name: "shop", version: "1.2.3+build.7" } });
    const chart = chartAt(registry.url, { version: "1.2.3+build.7", digest: built });
    assert.deepEqual(await someCharts().resolve(chart), { digest: built });
    assert.deepEqual(Buffer.from(await someCharts().fetch(chart)), archive);
  });

  it("a reference without a digest is told the one that it could have", async () => {
    for (const [pinned, words] of [
      ["", /it has no digest/],
      ["1.2.3", /"1.2.3" is no sha256 digest/],
      [digest.toUpperCase(), /is no sha256 digest/],
    ] as const) {
      const error = await failure(someCharts().fetch(chartAt(registry.url, { digest: pinned })));
      assert.match(error.message, words);
      assert.ok(error.message.endsWith(`is pinned by digest: ${digest}`), error.message);
      assert.equal(error.facts["found"], digest);
    }
  });

  it("a version that does not exist is told with the nearest that do", async () => {
    for (const version of ["3.0.0", "3.1.0", "3.1.1", "3.2.0-rc.1", "3.3.0", "3.10.0"])
      await push({ repository: "acme/near/shop", tag: version, config: { name: "shop", version } });
    const chart = {
      ...chartAt(registry.url, { version: "3.2.0" }),
      repository: `${registry.url.replace("http", "oci")}/acme/near`,
    };
    const error = await failure(someCharts().resolve(chart));
    assert.match(error.message, /there is no such version; the nearest are 3\.10\.0, 3\.3\.0, 3\.2\.0-rc\.1, 3\.1\.1, 3\.1\.0$/);
    assert.match((await failure(someCharts().fetch(chart))).message, /there is no such version/);
    assert.match((await failure(someCharts().resolve({ ...chart, name: "shoes" }))).message, /the registry has no such chart/);
  });

  it("a digest that the registry has no more is told with the one that the version has now", async () => {
    const error = await failure(someCharts().fetch(chartAt(registry.url, { digest: `sha256:${"0".repeat(64)}` })));
    assert.match(error.message, new RegExp(`no longer has sha256:0{64}; this version is ${digest} now$`));
    assert.deepEqual([error.retryable, error.facts["found"]], [false, digest]);
  });

  it("a token is got without credentials, for this chart alone, and goes to the registry only", async () => {
    let realm = "";
    const { url, host, seen } = await front((request, response) => {
      if (request.url?.startsWith("/token") === true) {
        response.end(JSON.stringify({ access_token: "canary-token", expires_in: 60 }));
        return true;
      }
      if (request.headers.authorization === "Bearer canary-token") return false;
      response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="registry of acme"` }).end();
      return true;
    });
    realm = `${url}/token?account=none`;
    assert.deepEqual(
      Buffer.from(await someCharts({ credentials: credentialsFor("other.example") }).fetch(chartAt(url))),
      archive,
    );
    assert.deepEqual(
      seen.map((request) => request.authorization),
      [undefined, undefined, "Bearer canary-token", "Bearer canary-token", "Bearer canary-token"],
    );
    assert.equal(seen[1]?.url, "/token?account=none&scope=repository%3Aacme%2Fcharts%2Fshop%3Apull&service=registry+of+acme");
    // With credentials for the registry, they are shown where the token is made, and nowhere else.
    await someCharts({ credentials: credentialsFor(host) }).fetch(chartAt(url));
    assert.deepEqual(
      seen.slice(5).map((request) => request.authorization),
      [undefined, basicAda, "Bearer canary-token", "Bearer canary-token", "Bearer canary-token"],
    );
  });

  it("C7: credentials of a registry never go to a token service on another host, unless they are given for that one too", async () => {
    const service = await front((_request, response) => {
      response.end(JSON.stringify({ token: "canary-token" }));
      return true;
    });
    const challenge = `Bearer realm="${service.url}/token",service="x",scope="repository:acme/charts/shop:pull"`;
    const { url, host } = await front((request, response) => {
      if (request.headers.authorization === "Bearer canary-token") return false;
      response.writeHead(401, { "www-authenticate": challenge }).end();
      return true;
    });
    await someCharts({ credentials: credentialsFor(host) }).fetch(chartAt(url));
    assert.deepEqual(service.seen, [
      { url: "/token?scope=repository%3Aacme%2Fcharts%2Fshop%3Apull&service=x", authorization: undefined },
    ]);
    await someCharts({ credentials: credentialsFor(host, service.host) }).fetch(chartAt(url));
    assert.equal(service.seen[1]?.authorization, basicAda);
  });

  for (const [realm, words] of [
    ["http://tokens.example/token", /sends for its token to http:\/\/, which is refused: only https:\/\/ is followed/],
    ["ftp://127.0.0.1/token", /sends for its token to ftp:\/\//],
    ["http://ada:secret@127.0.0.1/token", /to a URL with credentials in it/],
    ["no url", /does not say from where/],
  ] as const) {
    it(`C7: a token service at ${realm.replace("secret", "...")} is refused`, async () => {
      const { url } = await front((_request, response) => {
        response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}"` }).end();
        return true;
      });
      assert.match((await failure(someCharts().fetch(chartAt(url)))).message, words);
    });
  }

  it("a token service that redirects, or gives no token, is refused", async () => {
    let answer: (response: ServerResponse) => void = () => {};
    let realm = "";
    const { url, seen } = await front((request, response) => {
      if (request.url?.startsWith("/token") === true) answer(response);
      else response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}"` }).end();
      return true;
    });
    realm = `${url}/token`;
    answer = (response) => response.writeHead(302, { location: `${url}/elsewhere` }).end();
    assert.match((await failure(someCharts().fetch(chartAt(url)))).message, /\/token redirects elsewhere; refused/);
    for (const body of ["", "[]", '{"token":7}', '{"token":"two\\nlines"}']) {
      answer = (response) => response.end(body);
      assert.match((await failure(someCharts().fetch(chartAt(url)))).message, /\/token gave no token/);
    }
    answer = (response) => response.writeHead(503, { "retry-after": "7" }).end();
    const busy = await failure(someCharts().fetch(chartAt(url)));
    assert.deepEqual([busy.retryable, busy.facts["retryAfterSeconds"]], [true, 7]);
    assert.equal(seen.filter((request) => request.url === "/elsewhere").length, 0);
  });

  it("a registry that asks for Basic gets the credentials of its own host, after it asked", async () => {
    const { url, host, seen } = await front((request, response) => {
      if (request.headers.authorization === basicAda) return false;
      response.writeHead(401, { "www-authenticate": 'Basic realm="acme"' }).end();
      return true;
    });
    await someCharts({ credentials: credentialsFor(host) }).fetch(chartAt(url));
    assert.deepEqual(
      seen.map((request) => request.authorization),
      [undefined, basicAda, basicAda, basicAda],
    );
    const error = await failure(someCharts({ credentials: credentialsFor("other.example") }).fetch(chartAt(url)));
    assert.match(error.message, new RegExp(`answered 401: .*no credentials are configured for ${host}`));
    assert.equal(error.facts["status"], 401);
  });

  it("C7: content that lies on a storage host is read from there without credentials", async () => {
    const storage = await front((request, response) => {
      request.url = request.url?.replace("/signed", "").replace(/\?.*/, "");
      void response;
      return false;
    });
    const { url, host, seen } = await front((request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { "www-authenticate": "Basic" }).end();
      else if (request.url?.includes("/blobs/") === true)
        response.writeHead(307, { location: `${storage.url}/signed${request.url}?X-Amz-Signature=canary` }).end();
      else return false;
      return true;
    });
    const fetched = await someCharts({ credentials: credentialsFor(host, storage.host) }).fetch(chartAt(url));
    assert.deepEqual(Buffer.from(fetched), archive);
    assert.equal(seen.length, 4);
    assert.deepEqual(
      storage.seen.map((request) => request.authorization),
      [undefined, undefined],
    );
  });

  it("C7: a redirect to plain http on another machine, to another scheme or in a circle is refused", async () => {
    let location = "";
    const { url, seen } = await front((request, response) => {
      if (request.url?.includes("/blobs/") !== true) return false;
      response.writeHead(307, { location }).end();
      return true;
    });
    for (const [to, words] of [
      ["http://10.0.0.7/blob?X-Amz-Signature=canary", /redirects to http:\/\/, which is refused/],
      ["file:///etc/hosts", /redirects to file:\/\/, which is refused/],
      ["https://ada:canary@storage.example/", /redirects to a URL with credentials in it/],
      ["http://[", /redirects to something that is no URL/],
      ["/v2/acme/charts/shop/blobs/again", /redirects too often/],
    ] as const) {
      location = to;
      assert.match((await failure(someCharts().fetch(chartAt(url)))).message, words);
    }
    assert.equal(seen.filter((request) => request.url.endsWith("again")).length, 3);
  });

  it("a manifest other than the one asked for is refused", async () => {
    const { url } = await front((request, response) => {
      if (request.url?.includes("/manifests/") !== true) return false;
      response.end('{"schemaVersion":2}');
      return true;
    });
    const error = await failure(someCharts().fetch(chartAt(url)));
    assert.match(
      error.message,
      new RegExp(`asked for ${digest}, the registry gave the manifest ${sha256(Buffer.from('{"schemaVersion":2}'))}`),
    );
  });

  it("content other than the manifest says is refused; what came too short may be tried again", async () => {
    let body = Buffer.from("");
    const { url } = await front((request, response) => {
      if (request.url?.includes("/blobs/") !== true) return false;
      response.end(body);
      return true;
    });
    body = Buffer.from('{"name":"evil","version":"1.2.3","apiVersion":"v2"}'.slice(0, 40));
    const short = await failure(someCharts().fetch(chartAt(url)));
    assert.match(short.message, /gave 40 bytes that are not those of sha256:\w+ \(51 bytes\)/);
    assert.equal(short.retryable, true);
    body = Buffer.from('{"apiVersion":"v2","name":"evil","version":"1.2.3"}');
    const other = await failure(someCharts().fetch(chartAt(url)));
    assert.deepEqual([other.retryable, other.message.includes("gave 51 bytes")], [false, true]);
    body = Buffer.alloc(52);
    assert.match((await failure(someCharts().fetch(chartAt(url)))).message, /larger than 51 bytes/);
  });

  it("a connection that breaks may be tried again", async () => {
    const { url } = await front((request, response) => {
      if (request.url?.includes("/blobs/") !== true) return false;
      response.writeHead(200, { "content-length": "51" });
      response.write("half", () => response.destroy());
      return true;
    });
    assert.equal((await failure(someCharts().fetch(chartAt(url)))).retryable, true);
  });

  const other = "application/vnd.oci.image.config.v1+json";
  for (const [what, change, words] of [
    [
      "an image",
      (m: Manifest) => ({ ...m, config: { ...m.config, mediaType: other } }),
      /not a Helm chart but "application\/vnd.oci.image.config/,
    ],
    ["an index of images", () => ({ schemaVersion: 2, manifests: [] }), /an index of images, not a chart/],
    ["a chart without content", (m: Manifest) => ({ ...m, layers: [] }), /this one has 0/],
    ["a chart with two contents", (m: Manifest) => ({ ...m, layers: [...m.layers, ...m.layers] }), /this one has 2/],
    ["no descriptors", () => ({ schemaVersion: 2 }), /a descriptor without media type or size/],
    ["a negative size", (m: Manifest) => ({ ...m, layers: [{ ...m.layers[0], size: -1 }] }), /without media type or size/],
    [
      "a weak digest",
      (m: Manifest) => ({ ...m, layers: [{ ...m.layers[0], digest: "md5:00" }] }),
      /a descriptor without sha256 digest/,
    ],
    ["an array", () => [], /manifest is not JSON/],
  ] as const) {
    it(`${what} in place of a chart is refused`, async () => {
      const found = await push({ repository: "acme/odd/shop", change });
      const chart = chartAt(registry.url, { digest: found, repository: `${registry.url.replace("http", "oci")}/acme/odd` });
      assert.match((await failure(someCharts().fetch(chart))).message, words);
      assert.match((await failure(someCharts().resolve(chart))).message, words);
    });
  }

  it("a provenance file beside the chart does no harm", async () => {
    const provenance = { mediaType: "application/vnd.cncf.helm.chart.provenance.v1.prov", digest, size: 10 };
    const found = await push({
      tag: "1.2.3",
      repository: "acme/signed/shop",
      change: (m) => ({ ...m, layers: [provenance, ...m.layers] }),
    });
    const chart = chartAt(registry.url, { digest: found, repository: `${registry.url.replace("http", "oci")}/acme/signed` });
    assert.deepEqual(Buffer.from(await someCharts().fetch(chart)), archive);
  });

  it("a chart that says another name or version of itself is refused", async () => {
    for (const [config, said] of [
      [{ name: "shop", version: "1.2.4" }, "shop 1.2.4"],
      [{ name: "shoes", version: "1.2.3" }, "shoes 1.2.3"],
      [{ name: "shop" }, "no name and version"],
    ] as const) {
      const found = await push({ repository: "acme/liar/shop", config });
      const chart = chartAt(registry.url, { digest: found, repository: `${registry.url.replace("http", "oci")}/acme/liar` });
      assert.match((await failure(someCharts().fetch(chart))).message, new RegExp(`says ${said} of itself$`));
    }
  });

  it("C4: a chart that is too large is refused by its manifest, before any of it is downloaded", async () => {
    const found = await push({
      repository: "acme/huge/shop",
      change: (m) => ({ ...m, layers: [{ mediaType: contentType, digest: sha256(archive), size: 52_428_801 }] }),
    });
    const large = await push({
      repository: "acme/huge/shop",
      tag: "2",
      change: (m) => ({ ...m, config: { mediaType: configType, digest: sha256(archive), size: 1_048_577 } }),
    });
    const { url, seen } = await front();
    for (const [pinned, limit] of [
      [found, 52_428_800],
      [large, 1_048_576],
    ] as const) {
      const chart = chartAt(url, { digest: pinned, repository: `${url.replace("http", "oci")}/acme/huge` });
      const error = await failure(someCharts().fetch(chart));
      assert.match(error.message, new RegExp(`which is more than ${limit}$`));
    }
    assert.equal(seen.filter((request) => request.url.includes("/blobs/")).length, 0);
  });

  for (const [status, retryable, words] of [
    [401, false, /no credentials are configured/],
    [403, false, /not public or does not exist/],
    [429, true, /too many requests/],
    [500, true, /the server failed/],
    [418, false, /no answer of a chart repository/],
  ] as const) {
    it(`a registry that answers ${status} says what to check and ${retryable ? "may be asked again" : "is final"}`, async () => {
      const { url } = await front((_request, response) => {
        response.writeHead(status, status === 429 ? { "retry-after": "30" } : {}).end("private words");
        return true;
      });
      const error = await failure(someCharts().fetch(chartAt(url)));
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /private words/);
      assert.match(error.message, /^chart shop 1\.2\.3 of oci:\/\/127/);
      assert.deepEqual([error.retryable, error.facts["status"]], [retryable, status]);
      assert.equal(error.facts["retryAfterSeconds"], status === 429 ? 30 : undefined);
    });
  }
});
