import { isJsonObject, type JsonValue } from "../../model/json.ts";
import { isDigest } from "./digest.ts";
import { jsonIn } from "./json-in.ts";
import { type ChartVersion, chartError } from "./place.ts";

export const manifestType = "application/vnd.oci.image.manifest.v1+json";
const configType = "application/vnd.cncf.helm.config.v1+json";
const contentType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/** Content of a registry by digest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** Where the two parts of a chart are. A provenance file may lie beside them. Throws `source` for what is no chart. */
export function readManifest(
  chart: ChartVersion,
  bytes: Uint8Array,
): { readonly config: Descriptor; readonly content: Descriptor } {
  const manifest = jsonIn(bytes);
  if (!isJsonObject(manifest)) throw chartError(chart, "its manifest is not JSON; check the repository's URL");
  if (Array.isArray(manifest["manifests"])) throw chartError(chart, "this is an index of images, not a chart");
  const config = descriptor(chart, manifest["config"]);
  if (config.mediaType !== configType)
    throw chartError(chart, `this is not a Helm chart but ${JSON.stringify(config.mediaType)}; check the repository's path`);
  const layers = Array.isArray(manifest["layers"]) ? (manifest["layers"] as readonly JsonValue[]) : [];
  const contents = layers.filter((layer) => isJsonObject(layer) && layer["mediaType"] === contentType);
  if (contents.length !== 1) throw chartError(chart, `a chart has one layer of ${contentType}, this one has ${contents.length}`);
  return { config, content: descriptor(chart, contents[0]) };
}

/** Throws `source` when the chart behind the manifest says another name or version of itself. */
export function checkConfig(chart: ChartVersion, bytes: Uint8Array): void {
  const config = jsonIn(bytes);
  const { name, version } = isJsonObject(config) ? config : {};
  if (name === chart.name && version === chart.version) return;
  const said = typeof name === "string" && typeof version === "string" ? `${name} ${version}` : "no name and version";
  throw chartError(chart, `the chart under this digest says ${said} of itself`);
}

function descriptor(chart: ChartVersion, value: JsonValue | undefined): Descriptor {
  const { mediaType, digest, size } = isJsonObject(value) ? value : {};
  if (typeof mediaType !== "string" || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw chartError(chart, "its manifest has a descriptor without media type or size");
  if (!isDigest(digest)) throw chartError(chart, "its manifest has a descriptor without sha256 digest");
  return { mediaType, digest, size };
}
