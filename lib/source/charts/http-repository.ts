import { DriftlessError, isDriftlessError, messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { JsonValue } from "../../model/json.ts";
import { answerError } from "./answer-error.ts";
import type { ChartsDeps } from "./charts.ts";
import { basicAuthorization, type FindCredentials } from "./credentials.ts";
import { sha256 } from "./digest.ts";
import { archiveUrl, findVersion, type IndexedVersion, type IndexedVersions } from "./index-file.ts";
import { createJoin } from "./join.ts";
import type { ChartLimits } from "./limits.ts";
import { type ChartRepositories, type ChartVersion, chartError, type HttpPlace } from "./place.ts";
import { shown, type Web } from "./web.ts";

export interface HttpRepositoriesDeps {
  readonly web: Web;
  readonly decode: ChartsDeps["decode"];
  readonly credentials: FindCredentials;
  readonly limits: ChartLimits;
}

interface File {
  readonly url: URL;
  readonly limit: number;
  readonly compressed: boolean;
}

/** Repositories with an index.yaml, as `helm repo index` makes them. */
export function createHttpRepositories({ web, decode, credentials, limits }: HttpRepositoriesDeps): ChartRepositories<HttpPlace> {
  const join = createJoin<readonly JsonValue[]>();

  const get = async ({ base }: HttpPlace, file: File, options: CallOptions): Promise<Uint8Array> => {
    const { host, origin } = file.url;
    // Charts may lie anywhere; the credentials are for the repository alone.
    const known = origin === base.origin ? await credentials(host, options) : undefined;
    const authorization = known === undefined ? undefined : basicAuthorization(known);
    const answer = await web.get({ ...file, home: base, authorization }, options);
    if (answer.status < 200 || answer.status > 299)
      throw answerError(answer, { authorized: known !== undefined && answer.url.origin === origin, host: answer.url.host });
    return answer.body;
  };

  const readIndex = (place: HttpPlace, options: CallOptions): Promise<readonly JsonValue[]> => {
    const url = new URL("index.yaml", place.base);
    const work = async (shared: CallOptions): Promise<readonly JsonValue[]> => {
      const text = await get(place, { url, limit: limits.indexBytes, compressed: true }, shared);
      try {
        return await decode(text, shown(url), shared);
      } catch (cause) {
        if (shared.signal?.aborted === true) throw cause;
        const retryable = isDriftlessError(cause) && cause.retryable;
        throw new DriftlessError("source", `the index cannot be read: ${messageOf(cause)}`, { cause, retryable });
      }
    };
    return join({ key: url.href, work }, options);
  };

  const find = async (chart: ChartVersion, place: HttpPlace, options: CallOptions): Promise<IndexedVersions> =>
    findVersion(chart, await readIndex(place, options));

  const getArchive = (
    chart: ChartVersion,
    place: HttpPlace,
    found: IndexedVersion,
    options: CallOptions,
  ): Promise<Uint8Array> => {
    const url = archiveUrl(chart, found, place);
    return get(place, { url, limit: limits.archiveBytes, compressed: false }, options);
  };

  return {
    async download(chart, place, options) {
      const found = await find(chart, place, options);
      const pinned = found.find(({ digest }) => digest === chart.digest) ?? found.find(({ digest }) => digest === undefined);
      if (pinned === undefined) throw otherDigest(chart, found[0].digest ?? "", "the index");
      const archive = await getArchive(chart, place, pinned, options);
      if (sha256(archive) !== chart.digest) throw otherDigest(chart, sha256(archive), "its archive");
      return archive;
    },
    async resolve(chart, place, options) {
      const [found] = await find(chart, place, options);
      return found.digest ?? sha256(await getArchive(chart, place, found, options));
    },
  };
}

function otherDigest(chart: ChartVersion & { readonly digest: string }, found: string, where: string): DriftlessError {
  return chartError(
    chart,
    `${where} now has ${found}, and ${chart.digest} is pinned: somebody published this version again; look why, then pin what you trust`,
    { facts: { found } },
  );
}
