import { type DriftlessError, isDriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ChartReference } from "../../model/chart.ts";
import type { JsonValue } from "../../model/json.ts";
import { type Clock, systemClock } from "../../telemetry/clock.ts";
import { type Log, silentLog } from "../../telemetry/log.ts";
import { createHttpClient } from "../http.ts";
import { createArchiveCache } from "./archive-cache.ts";
import type { FindCredentials } from "./credentials.ts";
import { isDigest } from "./digest.ts";
import { createHttpRepositories } from "./http-repository.ts";
import { createJoin } from "./join.ts";
import { type ChartLimits, defaultChartLimits } from "./limits.ts";
import { createOciRepositories } from "./oci-repository.ts";
import { type ChartVersion, chartError, placeOf } from "./place.ts";
import { createWeb } from "./web.ts";

/** Charts of chart repositories, the same bytes for the same reference. */
export interface Charts {
  /**
   * The chart's `.tgz`, which has the pinned digest (or lies behind the pinned manifest) and is not unpacked.
   * Throws `source`; a reference without a digest is told the one that it could have.
   */
  fetch(chart: ChartReference, options?: CallOptions): Promise<Uint8Array>;
}

/** For people, who pin a chart by what its repository says today. */
export interface ChartResolver {
  /** Throws `source` with the nearest versions when this one does not exist. */
  resolve(chart: ChartVersion, options?: CallOptions): Promise<{ readonly digest: string }>;
}

export interface ChartsDeps {
  /** The documents of a YAML file; `file` names it in errors. */
  readonly decode: (yaml: Uint8Array, file: string, options?: CallOptions) => Promise<readonly JsonValue[]>;
  /** Default: everything is read anonymously. */
  readonly credentials?: FindCredentials;
  /** Bytes of archives kept. Default 32 MiB. */
  readonly cacheBytes?: number;
  /** Milliseconds for one request, its answer included. Default 30,000. */
  readonly timeoutMs?: number;
  readonly limits?: Partial<ChartLimits>;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** Reads `https://` repositories with an index.yaml and `oci://` registries; plain http on this machine only. */
export function createCharts(deps: ChartsDeps): Charts & ChartResolver {
  const { decode, credentials = async () => undefined, cacheBytes = 32 * 1024 * 1024, timeoutMs = 30_000 } = deps;
  const { clock = systemClock, log = silentLog } = deps;
  const limits = { ...defaultChartLimits, ...deps.limits };
  const web = createWeb({ http: createHttpClient({ clock, timeoutMs }), clock });
  const http = createHttpRepositories({ web, decode, credentials, limits });
  const oci = createOciRepositories({ web, credentials, limits });
  const cache = createArchiveCache({ maxBytes: cacheBytes });
  const join = createJoin<Uint8Array>();

  const resolve = (chart: ChartVersion, options: CallOptions): Promise<string> => {
    const place = placeOf(chart);
    return toldOf(chart, place.kind === "oci" ? oci.resolve(chart, place, options) : http.resolve(chart, place, options));
  };
  const download = async (chart: ChartReference, options: CallOptions): Promise<Uint8Array> => {
    const place = placeOf(chart);
    const downloaded = place.kind === "oci" ? oci.download(chart, place, options) : http.download(chart, place, options);
    const archive = await toldOf(chart, downloaded);
    const { repository, name, version } = chart;
    log.debug("source.chart-fetched", { repository, chart: name, version, bytes: archive.length });
    return archive;
  };
  return {
    async fetch(chart, options = {}) {
      placeOf(chart);
      if (!isDigest(chart.digest)) throw unpinned(chart, await resolve(chart, options));
      // The whole reference: a digest alone must not open an archive under another name or repository.
      const key = JSON.stringify([chart.repository, chart.name, chart.version, chart.digest]);
      const held = cache.get(key);
      if (held !== undefined) return held;
      const work = async (shared: CallOptions): Promise<Uint8Array> => {
        const archive = await download(chart, shared);
        cache.set(key, archive);
        return archive;
      };
      return join({ key, work }, options);
    },
    resolve: async (chart, options = {}) => ({ digest: await resolve(chart, options) }),
  };
}

/** What fails below knows its URL; here it learns which chart it was for. */
async function toldOf<T>(chart: ChartVersion, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isDriftlessError(error) || error.facts["chart"] !== undefined) throw error;
    const { message, retryable, facts } = error;
    throw chartError(chart, message, { cause: error, retryable, facts });
  }
}

function unpinned(chart: ChartReference, found: string): DriftlessError {
  const said = chart.digest === "" ? "it has no digest" : `${JSON.stringify(chart.digest)} is no sha256 digest`;
  return chartError(chart, `${said}; what its repository holds now is pinned by digest: ${found}`, { facts: { found } });
}
