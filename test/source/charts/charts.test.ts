import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, describe, it } from "node:test";
import { type LoopbackServer, startHttp } from "../repositories.ts";
import { anArchive, sha256 } from "./registry.ts";
import { failure, someCharts } from "./support.ts";

describe("what was fetched before, or is being fetched", () => {
  const started: LoopbackServer[] = [];
  after(async () => {
    for (const one of started) await one.close();
  });

  /** A repository with the charts a, b and c, whose archives have 1,000 bytes; `hold` may keep an answer back. */
  const repository = async (
    hold: (request: IncomingMessage, answer: () => void, response: ServerResponse) => void = (_, answer) => answer(),
  ) => {
    const archives = new Map(["a", "b", "c"].map((name) => [name, Buffer.alloc(1000, name)]));
    const entries = Object.fromEntries(
      [...archives].map(([name, archive]) => [name, [{ version: "1.0.0", digest: sha256(archive), urls: [`${name}.tgz`] }]]),
    );
    const seen: string[] = [];
    const server = await startHttp((request, response) => {
      const url = request.url ?? "";
      seen.push(url);
      const body = url === "/index.yaml" ? JSON.stringify({ entries }) : archives.get(url.slice(1, 2));
      hold(request, () => response.end(body), response);
    });
    started.push(server);
    const chart = (name: string) => ({ repository: server.url, name, version: "1.0.0", digest: sha256(archives.get(name)!) });
    return { chart, seen, close: () => server.close() };
  };

  it("a chart is downloaded once; its repository need not even be there the next time", async () => {
    const { chart, seen, close } = await repository();
    const charts = someCharts();
    const first = await charts.fetch(chart("a"));
    await close();
    assert.equal(await charts.fetch(chart("a")), first);
    assert.deepEqual(seen, ["/index.yaml", "/a.tgz"]);
  });

  it("a digest that is known opens nothing under another name, version or repository", async () => {
    const { chart } = await repository();
    const charts = someCharts();
    await charts.fetch(chart("a"));
    await failure(charts.fetch({ ...chart("a"), name: "b" }));
    await failure(charts.fetch({ ...chart("a"), version: "1.0.1" }));
    await failure(charts.fetch({ ...chart("a"), repository: `${chart("a").repository}/other` }));
  });

  it("archives are kept up to a number of bytes; those not used for longest go first", async () => {
    const { chart, seen } = await repository();
    const charts = someCharts({ cacheBytes: 2500 });
    for (const name of ["a", "b", "a", "c", "a", "b"]) await charts.fetch(chart(name));
    assert.deepEqual(
      seen.filter((url) => url !== "/index.yaml"),
      ["/a.tgz", "/b.tgz", "/c.tgz", "/b.tgz"],
    );
  });

  it("two who ask at once share one download, and charts of one repository share its index", async () => {
    const { chart, seen } = await repository();
    const charts = someCharts();
    const [first, second, other] = await Promise.all([
      charts.fetch(chart("a")),
      charts.fetch(chart("a")),
      charts.fetch(chart("b")),
    ]);
    assert.equal(first, second);
    assert.notDeepEqual(first, other);
    assert.deepEqual(seen.toSorted(), ["/a.tgz", "/b.tgz", "/index.yaml"]);
  });

  it("one of two may give up, and the other still gets the chart", async () => {
    let asked = (): void => {};
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { chart } = await repository((request, answer) => {
      if (request.url === "/index.yaml") return answer();
      release = answer;
      return asked();
    });
    const charts = someCharts();
    const giveUp = new AbortController();
    const first = charts.fetch(chart("a"), { signal: giveUp.signal });
    const second = charts.fetch(chart("a"));
    await held;
    giveUp.abort(new Error("the function's time is over"));
    await assert.rejects(first, { message: "the function's time is over" });
    release();
    assert.equal((await second).length, 1000);
  });

  it("when all have given up the download ends, and the next one starts anew", async () => {
    let closed = (): void => {};
    let asked = (): void => {};
    const [ended, held] = [new Promise<void>((resolve) => (closed = resolve)), new Promise<void>((resolve) => (asked = resolve))];
    let requests = 0;
    const { chart } = await repository((request, answer, response) => {
      requests += request.url === "/index.yaml" ? 0 : 1;
      if (request.url === "/index.yaml" || requests > 1) return answer();
      response.on("close", closed);
      return asked();
    });
    const charts = someCharts();
    const giveUp = new AbortController();
    const first = charts.fetch(chart("a"), { signal: giveUp.signal });
    await held;
    giveUp.abort(new Error("the function's time is over"));
    await assert.rejects(first, { message: "the function's time is over" });
    await ended;
    assert.equal((await charts.fetch(chart("a"))).length, 1000);
    await assert.rejects(charts.fetch(chart("b"), { signal: giveUp.signal }), { message: "the function's time is over" });
  });

  it("a failure is not kept", async () => {
    let broken = true;
    const { chart, seen } = await repository((_request, answer, response) => {
      if (!broken) return answer();
      response.writeHead(503).end();
      return undefined;
    });
    const charts = someCharts();
    const failed = await Promise.all([failure(charts.fetch(chart("a"))), failure(charts.fetch(chart("b")))]);
    // One request failed for both, and each error names its own chart.
    assert.deepEqual(
      failed.map(({ message }) => message.slice(0, "chart a 1.0.0".length)),
      ["chart a 1.0.0", "chart b 1.0.0"],
    );
    assert.deepEqual(seen, ["/index.yaml"]);
    broken = false;
    assert.equal((await charts.fetch(chart("a"))).length, 1000);
  });

  it("a server that does not answer in time may be tried again", async () => {
    const { chart } = await repository(() => {});
    const error = await failure(someCharts({ timeoutMs: 50 }).fetch(chart("a")));
    assert.match(error.message, /\/index\.yaml was stopped: no complete answer within 0\.05 s/);
    assert.equal(error.retryable, true);
  });

  it("an archive of another chart under the same URL is noticed however it is cached", async () => {
    const { chart } = await repository();
    const error = await failure(someCharts().fetch({ ...chart("a"), digest: sha256(anArchive("a")) }));
    assert.match(error.message, /somebody published this version again/);
  });
});
