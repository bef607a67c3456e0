import type { CallOptions } from "../../model/call.ts";
import { isJsonObject, type JsonValue } from "../../model/json.ts";
import { answerError } from "./answer-error.ts";
import type { FindCredentials } from "./credentials.ts";
import { sha256 } from "./digest.ts";
import { jsonIn } from "./json-in.ts";
import type { ChartLimits } from "./limits.ts";
import { checkConfig, type Descriptor, manifestType, readManifest } from "./manifest.ts";
import { type ChartRepositories, type ChartVersion, chartError, type OciPlace } from "./place.ts";
import { type Granted, requestAccess } from "./registry-access.ts";
import { noSuchVersion } from "./versions.ts";
import { shown, type Web, type WebAnswer } from "./web.ts";

export interface OciRepositoriesDeps {
  readonly web: Web;
  readonly credentials: FindCredentials;
  readonly limits: ChartLimits;
}

/** The chart's repository in its registry, with the access that was granted so far. */
interface Registry {
  /** By digest or tag; undefined when there is none. */
  manifest(reference: string): Promise<Uint8Array | undefined>;
  /** Verified. */
  blob(descriptor: Descriptor): Promise<Uint8Array>;
  tags(): Promise<readonly string[]>;
}

/** What the OCI specification lets a manifest be. */
const maxManifestBytes = 4 * 1024 * 1024;
const maxConfigBytes = 1024 * 1024;

/** Registries, by the OCI distribution specification. A tag is never trusted: the digest is what is asked for. */
export function createOciRepositories({ web, credentials, limits }: OciRepositoriesDeps): ChartRepositories<OciPlace> {
  const open = (chart: ChartVersion, place: OciPlace, options: CallOptions): Registry =>
    openRegistry({ web, credentials, chart, place, options });
  return {
    async download(chart, place, options) {
      const registry = open(chart, place, options);
      const bytes = await registry.manifest(chart.digest);
      if (bytes === undefined) {
        const found = await currentDigest(chart, place, registry);
        throw chartError(chart, `the registry no longer has ${chart.digest}; this version is ${found} now`, { facts: { found } });
      }
      if (sha256(bytes) !== chart.digest)
        throw chartError(chart, `asked for ${chart.digest}, the registry gave the manifest ${sha256(bytes)}`);
      const { config, content } = readManifest(chart, bytes);
      checkSize(chart, config, maxConfigBytes);
      checkSize(chart, content, limits.archiveBytes);
      checkConfig(chart, await registry.blob(config));
      return registry.blob(content);
    },
    resolve: (chart, place, options) => currentDigest(chart, place, open(chart, place, options)),
  };
}

/** Of the manifest that the version's tag points to. */
async function currentDigest(chart: ChartVersion, { tag }: OciPlace, registry: Registry): Promise<string> {
  const bytes = await registry.manifest(tag);
  if (bytes === undefined) {
    const versions = (await registry.tags()).map((existing) => existing.replaceAll("_", "+"));
    throw noSuchVersion(chart, versions);
  }
  readManifest(chart, bytes);
  return sha256(bytes);
}

interface Opening extends Omit<OciRepositoriesDeps, "limits"> {
  readonly chart: ChartVersion;
  readonly place: OciPlace;
  readonly options: CallOptions;
}

function openRegistry(opening: Opening): Registry {
  const { web, chart, place, options } = opening;
  const { registry } = place;
  let access: Granted = { host: registry.host, authorized: false, authorization: undefined };

  const ask = async (path: string, what: { readonly accept?: string; readonly limit: number }): Promise<WebAnswer> => {
    const request = { ...what, url: new URL(`/v2/${place.repository}/${path}`, registry), home: registry };
    const first = await web.get({ ...request, authorization: access.authorization }, options);
    if (first.status !== 401 || first.url.origin !== registry.origin) return first;
    access = await requestAccess(opening, first.headers["www-authenticate"] ?? "", options);
    return access.authorization === undefined ? first : web.get({ ...request, authorization: access.authorization }, options);
  };
  const read = async (path: string, what: Parameters<typeof ask>[1]): Promise<Uint8Array | undefined> => {
    const answer = await ask(path, what);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw answerError(answer, access);
    return answer.body;
  };
  return {
    manifest: (reference) => read(`manifests/${reference}`, { accept: manifestType, limit: maxManifestBytes }),
    async blob({ digest, size }) {
      const answer = await ask(`blobs/${digest}`, { limit: size });
      if (answer.status !== 200) throw answerError(answer, access);
      if (sha256(answer.body) === digest) return answer.body;
      throw chartError(
        chart,
        `${shown(answer.url)} gave ${answer.body.length} bytes that are not those of ${digest} (${size} bytes)`,
        {
          retryable: answer.body.length < size,
        },
      );
    },
    async tags() {
      const bytes = await read("tags/list?n=1000", { limit: maxManifestBytes });
      if (bytes === undefined)
        throw chartError(chart, "the registry has no such chart; check the repository's path and the name");
      const answer = jsonIn(bytes);
      const tags = isJsonObject(answer) && Array.isArray(answer["tags"]) ? (answer["tags"] as readonly JsonValue[]) : [];
      return tags.filter((tag) => typeof tag === "string");
    },
  };
}

function checkSize(chart: ChartVersion, { size }: Descriptor, limit: number): void {
  if (size > limit) throw chartError(chart, `a part of it has ${size} bytes, which is more than ${limit}`, { facts: { limit } });
}
