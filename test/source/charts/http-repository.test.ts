import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, describe, it } from "node:test";
import { createGzip, gzipSync } from "node:zlib";
import type { ChartReference } from "../../../lib/model/chart.ts";
import { type LoopbackServer, startHttp } from "../repositories.ts";
import { anArchive, sha256 } from "./registry.ts";
import { basicAda, credentialsFor, failure, someCharts } from "./support.ts";

const archive = anArchive("shop 1.2.3");
const digest = sha256(archive);
const hex = digest.slice("sha256:".length);

interface Repository extends LoopbackServer {
  readonly host: string;
  readonly seen: { readonly url: string; readonly authorization: string | undefined }[];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe("charts of a repository with an index.yaml", () => {
  const started: LoopbackServer[] = [];
  after(async () => {
    for (const one of started) await one.close();
  });

  /** Files by path, or whole answers; everything else is 404. */
  const serve = async (files: { readonly [path: string]: string | Uint8Array | Answer }): Promise<Repository> => {
    const seen: Repository["seen"] = [];
    const server = await startHttp((request, response) => {
      seen.push({ url: request.url ?? "", authorization: request.headers.authorization });
      const file = files[request.url ?? ""];
      if (file === undefined) response.writeHead(404).end("private words");
      else if (typeof file === "function") file(request, response);
      else response.end(file);
    });
    started.push(server);
    return { ...server, seen, host: new URL(server.url).host };
  };
  const index = (...versions: readonly object[]): string =>
    JSON.stringify({ apiVersion: "v1", entries: { shop: versions, "shop-tools": [] } });
  const entry = (changes: object = {}): object => ({
    name: "shop",
    version: "1.2.3",
    digest: hex,
    urls: ["charts/shop-1.2.3.tgz"],
    ...changes,
  });
  const chartAt = (url: string, changes: Partial<ChartReference> = {}): ChartReference => ({
    repository: `${url}/stable`,
    name: "shop",
    version: "1.2.3",
    digest,
    ...changes,
  });
  const fetched = async (chart: ChartReference): Promise<Buffer> => Buffer.from(await someCharts().fetch(chart));

  it("a chart is found by its name and exact version, below the repository", async () => {
    const { url, seen } = await serve({
      "/stable/index.yaml": index(entry({ version: "1.2.30", digest: "00" }), entry(), entry({ version: "1.2.3-rc.1" })),
      "/stable/charts/shop-1.2.3.tgz": archive,
    });
    assert.deepEqual(await fetched(chartAt(url)), archive);
    assert.deepEqual(await fetched(chartAt(url, { repository: `${url}/stable//` })), archive);
    assert.deepEqual(
      seen.map((request) => request.url),
      ["/stable/index.yaml", "/stable/charts/shop-1.2.3.tgz", "/stable/index.yaml", "/stable/charts/shop-1.2.3.tgz"],
    );
  });

  it("an index in YAML, compressed on the way, is read as any other", async () => {
    const text = `apiVersion: v1\nentries:\n  shop:\n  - version: 1.2.3\n    digest: sha256:${hex}\n    urls: [/shop.tgz]\n`;
    const { url } = await serve({
      "/stable/index.yaml": (request, response) => {
        assert.equal(request.headers["accept-encoding"], "gzip");
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(text));
      },
      // Servers that call every .tgz compressed on the way mean the archive itself.
      "/shop.tgz": (request, response) => {
        assert.equal(request.headers["accept-encoding"], "identity");
        response.writeHead(200, { "content-encoding": "x-gzip" }).end(archive);
      },
    });
    assert.deepEqual(await fetched(chartAt(url)), archive);
  });

  it("the digest of a version is the index's, or that of the archive where the index has none", async () => {
    const stated = await serve({ "/stable/index.yaml": index(entry()) });
    assert.deepEqual(await someCharts().resolve(chartAt(stated.url)), { digest });
    const silent = await serve({
      "/stable/index.yaml": index(entry({ digest: undefined })),
      "/stable/charts/shop-1.2.3.tgz": archive,
    });
    assert.deepEqual(await someCharts().resolve(chartAt(silent.url)), { digest });
    assert.deepEqual(await fetched(chartAt(silent.url)), archive);
  });

  it("a reference without a digest is told the one that it could have", async () => {
    const { url } = await serve({ "/stable/index.yaml": index(entry()) });
    const error = await failure(someCharts().fetch(chartAt(url, { digest: "" })));
    assert.equal(
      error.message,
      `chart shop 1.2.3 of ${url}/stable: it has no digest; what its repository holds now is pinned by digest: ${digest}`,
    );
  });

  it("a version that was published again is refused, by what the index says and by what the archive is", async () => {
    const changed = anArchive("something else");
    const said = await serve({
      "/stable/index.yaml": index(entry({ digest: sha256(changed) })),
      "/stable/charts/shop-1.2.3.tgz": changed,
    });
    const byIndex = await failure(someCharts().fetch(chartAt(said.url)));
    assert.ok(byIndex.message.includes(`the index now has ${sha256(changed)}, and ${digest} is pinned`), byIndex.message);
    assert.deepEqual([byIndex.retryable, byIndex.facts["found"]], [false, sha256(changed)]);
    assert.equal(said.seen.length, 1);
    for (const stated of [hex, undefined]) {
      const hidden = await serve({
        "/stable/index.yaml": index(entry({ digest: stated })),
        "/stable/charts/shop-1.2.3.tgz": changed,
      });
      const byArchive = await failure(someCharts().fetch(chartAt(hidden.url)));
      assert.ok(byArchive.message.includes(`its archive now has ${sha256(changed)}, and ${digest} is pinned`), byArchive.message);
    }
  });

  it("of two entries for one version the pinned one is taken", async () => {
    const { url } = await serve({
      "/stable/index.yaml": index(entry({ digest: sha256(anArchive("x")), urls: ["x.tgz"] }), entry()),
      "/stable/charts/shop-1.2.3.tgz": archive,
    });
    assert.deepEqual(await fetched(chartAt(url)), archive);
  });

  it("a version or chart that does not exist is told with what is near", async () => {
    const { url } = await serve({
      "/stable/index.yaml": index(
        ...["1.1.0", "1.2.2", "1.2.4", "1.3.0", "1.10.0", "2.0.0"].map((version) => entry({ version })),
      ),
    });
    const error = await failure(someCharts().fetch(chartAt(url)));
    assert.match(error.message, /there is no such version; the nearest are 1\.10\.0, 1\.3\.0, 1\.2\.4, 1\.2\.2, 1\.1\.0$/);
    assert.match(
      (await failure(someCharts().fetch(chartAt(url, { name: "tools" })))).message,
      /no such chart; names like it are shop-tools$/,
    );
    assert.match((await failure(someCharts().fetch(chartAt(url, { name: "__proto__" })))).message, /no such chart$/);
    assert.match(
      (await failure(someCharts().fetch(chartAt(url, { name: "shop-tools" })))).message,
      /the repository has none at all$/,
    );
  });

  for (const [what, text, words] of [
    ["a page", "<!doctype html><title>Charts</title>", /it has no `entries`/],
    ["nothing", "", /it has no `entries`/],
    ["two documents", `entries: {}\n---\nentries: {}\n`, /it has no `entries`/],
    ["broken YAML", "entries: [", /the index cannot be read/],
    ["a digest that is none", index(entry({ digest: "md5:00" })), /a digest for it that is not sha256/],
    ["no URL", index(entry({ urls: [] })), /names no URL/],
    ["a URL that is none", index(entry({ urls: ["http://["] })), /something that is no URL/],
    ["a URL on this disk", index(entry({ urls: ["file:///etc/hosts"] })), /the index sends to file:\/\/, which is refused/],
    ["plain http to another machine", index(entry({ urls: ["http://charts.example/shop.tgz"] })), /only https:\/\/ is followed/],
    ["a URL with credentials", index(entry({ urls: ["https://ada:canary@charts.example/shop.tgz"] })), /with credentials in it/],
    [
      "a registry",
      index(entry({ urls: ["oci://registry.example/charts/shop:1.2.3"] })),
      /use the repository oci:\/\/registry\.example\/charts and the digest that it has there/,
    ],
  ] as const) {
    it(`an index with ${what} is refused`, async () => {
      const { url, seen } = await serve({ "/stable/index.yaml": text });
      assert.match((await failure(someCharts().fetch(chartAt(url)))).message, words);
      assert.equal(seen.length, 1);
    });
  }

  it("C7: credentials go to the repository, and to no other host that its index or a redirect names", async () => {
    const other = await serve({ "/shop.tgz": archive, "/moved/index.yaml": index(entry({ urls: ["/stable/shop.tgz"] })) });
    const { url, host, seen } = await serve({
      "/stable/index.yaml": index(entry({ urls: [`${other.url}/shop.tgz`] })),
      "/renamed/index.yaml": (_request, response) => response.writeHead(301, { location: "/stable/again.yaml" }).end(),
      "/stable/again.yaml": (_request, response) => response.writeHead(302, { location: `${other.url}/moved/index.yaml` }).end(),
      "/stable/shop.tgz": (_request, response) => response.writeHead(302, { location: `${other.url}/shop.tgz?sig=canary` }).end(),
    });
    const charts = someCharts({ credentials: credentialsFor(host, other.host) });
    assert.deepEqual(Buffer.from(await charts.fetch(chartAt(url))), archive);
    assert.deepEqual(seen, [{ url: "/stable/index.yaml", authorization: basicAda }]);
    assert.deepEqual(other.seen, [{ url: "/shop.tgz", authorization: undefined }]);

    await failure(charts.fetch(chartAt(url, { repository: `${url}/renamed` })));
    assert.deepEqual(
      seen.slice(1),
      ["/renamed/index.yaml", "/stable/again.yaml", "/stable/shop.tgz"].map((path) => ({ url: path, authorization: basicAda })),
    );
    assert.deepEqual(
      other.seen.slice(1),
      ["/moved/index.yaml", "/shop.tgz?sig=canary"].map((path) => ({ url: path, authorization: undefined })),
    );
  });

  it("C4: an index that expands beyond its limit on the way is cut off there", async () => {
    const { url } = await serve({
      "/stable/index.yaml": (_request, response) => {
        response.writeHead(200, { "content-encoding": "gzip" });
        const gzip = createGzip();
        gzip.pipe(response).on("close", () => gzip.destroy());
        const block = Buffer.alloc(1 << 20, "#");
        const more = (): void => {
          if (!gzip.destroyed) gzip.write(block, more);
        };
        more();
      },
    });
    const error = await failure(someCharts({ limits: { indexBytes: 8 << 20 } }).fetch(chartAt(url)));
    assert.match(error.message, /index\.yaml is larger than 8388608 bytes/);
    assert.equal(error.retryable, false);
  });

  it("C4: an archive that says that it is too large, or never ends, is cut off at its limit", async () => {
    let sent = 0;
    const limits = { archiveBytes: 1 << 20 };
    for (const headers of [{ "content-length": String((1 << 20) + 1) }, {}]) {
      sent = 0;
      const { url } = await serve({
        "/stable/index.yaml": index(entry()),
        "/stable/charts/shop-1.2.3.tgz": (_request, response) => {
          response.writeHead(200, headers);
          const block = Buffer.alloc(1 << 16);
          const more = (): void => {
            if (response.destroyed || sent > 1 << 20) return;
            sent += block.length;
            response.write(block, more);
          };
          if ("content-length" in headers) response.flushHeaders();
          else more();
        },
      });
      const error = await failure(someCharts({ limits }).fetch(chartAt(url)));
      assert.match(error.message, /shop-1\.2\.3\.tgz is larger than 1048576 bytes/);
    }
  });

  it("an encoding that was not asked for is refused", async () => {
    const { url } = await serve({
      "/stable/index.yaml": (_request, response) => response.writeHead(200, { "content-encoding": "br" }).end("x"),
    });
    assert.match((await failure(someCharts().fetch(chartAt(url)))).message, /with the encoding br/);
  });

  it("C9: an archive that is cut, at every tenth of it, is an error and never a chart", async () => {
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const part = archive.subarray(0, Math.floor((archive.length * tenth) / 10));
      for (const ended of [true, false]) {
        const { url } = await serve({
          "/stable/index.yaml": index(entry()),
          "/stable/charts/shop-1.2.3.tgz": (_request, response) => {
            if (ended) return response.end(part);
            response.writeHead(200, { "content-length": archive.length });
            return response.write(part, () => response.destroy());
          },
        });
        const error = await failure(someCharts().fetch(chartAt(url)));
        assert.equal(error.retryable, !ended);
      }
    }
  });

  for (const [status, authorized, retryable, words] of [
    [401, false, false, /no credentials are configured for 127/],
    [401, true, false, /neither expired nor revoked/],
    [403, true, false, /may read this chart/],
    [404, true, false, /it does not exist, or its reader may not see it/],
    [429, true, true, /too many requests/],
    [503, false, true, /the server failed/],
  ] as const) {
    it(`${status} ${authorized ? "with" : "without"} credentials says what to check and ${retryable ? "may be tried again" : "is final"}`, async () => {
      const headers = retryable ? { "retry-after": "9" } : {};
      const { url, host } = await serve({
        "/stable/index.yaml": (_request, response) => response.writeHead(status, headers).end("private words"),
      });
      const charts = someCharts(authorized ? { credentials: credentialsFor(host) } : {});
      const error = await failure(charts.fetch(chartAt(url)));
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /private words/);
      assert.deepEqual([error.retryable, error.facts["status"]], [retryable, status]);
      assert.equal(error.facts["retryAfterSeconds"], retryable ? 9 : undefined);
    });
  }

  it("a host that cannot be reached may be tried again, and is named", async () => {
    const server = await serve({});
    const { url } = server;
    await server.close();
    const error = await failure(someCharts().fetch(chartAt(url)));
    assert.match(error.message, /^chart shop 1\.2\.3 of .*: 127\.0\.0\.1:\d+ could not be read: ECONNREFUSED/);
    assert.equal(error.retryable, true);
  });
});
