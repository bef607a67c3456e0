import { isJsonObject, type JsonObject, type JsonValue } from "../../model/json.ts";
import { isDigest } from "./digest.ts";
import { type ChartVersion, chartError, type HttpPlace } from "./place.ts";
import { noSuchVersion } from "./versions.ts";
import { refusedTarget } from "./web.ts";

/** What an index says about one version of a chart. */
export interface IndexedVersion {
  /** Undefined when the index states none. */
  readonly digest: string | undefined;
  /** As the index has it: absolute, or relative to the repository; undefined when there is none. */
  readonly url: string | undefined;
}

export type IndexedVersions = readonly [IndexedVersion, ...IndexedVersion[]];

/** The entries of an index for exactly this version, at least one. Throws `source` when there is none. */
export function findVersion(chart: ChartVersion, documents: readonly JsonValue[]): IndexedVersions {
  const [index] = documents;
  const entries = isJsonObject(index) ? index["entries"] : undefined;
  if (documents.length !== 1 || !isJsonObject(entries))
    throw chartError(chart, "the index.yaml of its repository is none: it has no `entries`");
  const versions = entries[chart.name];
  if (!Array.isArray(versions)) throw chartError(chart, `the repository has no such chart${similar(chart.name, entries)}`);
  const listed = (versions as readonly JsonValue[]).filter(isJsonObject);
  const [first, ...others] = listed.filter(({ version }) => version === chart.version).map((entry) => read(chart, entry));
  if (first !== undefined) return [first, ...others];
  throw noSuchVersion(
    chart,
    listed.flatMap(({ version }) => (typeof version === "string" ? [version] : [])),
  );
}

/** Where the archive lies. Throws `source` for what is not followed. */
export function archiveUrl(chart: ChartVersion, { url: text }: IndexedVersion, { base }: HttpPlace): URL {
  if (text === undefined) throw chartError(chart, "the index names no URL for it");
  if (!URL.canParse(text, base.href)) throw chartError(chart, "the index names something that is no URL for it");
  const url = new URL(text, base.href);
  if (url.protocol === "oci:") {
    const registry = text.replace(/\/[^/]*$/, "");
    throw chartError(chart, `it moved to a registry; use the repository ${registry} and the digest that it has there`);
  }
  const refused = refusedTarget({ url, home: base });
  if (refused !== undefined) throw chartError(chart, `the index sends ${refused}`);
  return url;
}

function read(chart: ChartVersion, { digest, urls }: JsonObject): IndexedVersion {
  const [url] = Array.isArray(urls) ? (urls as readonly JsonValue[]) : [];
  return { digest: indexedDigest(chart, digest), url: typeof url === "string" ? url : undefined };
}

/** Helm writes the hex digits alone. */
function indexedDigest(chart: ChartVersion, digest: JsonValue | undefined): string | undefined {
  if (digest === undefined || digest === null || digest === "") return undefined;
  const full = typeof digest === "string" ? `sha256:${digest.toLowerCase().replace(/^sha256:/, "")}` : "";
  if (!isDigest(full)) throw chartError(chart, "the index has a digest for it that is not sha256");
  return full;
}

function similar(name: string, entries: JsonObject): string {
  const near = Object.keys(entries).filter((other) => other.includes(name) || name.includes(other));
  return near.length === 0 ? "" : `; names like it are ${near.slice(0, 5).join(", ")}`;
}
