import { DriftlessError, type DriftlessErrorOptions } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ChartReference } from "../../model/chart.ts";
import { isLoopback } from "./addresses.ts";

/** A chart and a version, not pinned. */
export type ChartVersion = Omit<ChartReference, "digest">;

/** Where a chart repository lies. */
export type Place = HttpPlace | OciPlace;

export interface HttpPlace {
  readonly kind: "http";
  /** With a slash at its end: what the index names is relative to it. */
  readonly base: URL;
}

export interface OciPlace {
  readonly kind: "oci";
  /** The registry, without path. */
  readonly registry: URL;
  /** The chart's repository in the registry, by the name of the chart at its end. */
  readonly repository: string;
  readonly tag: string;
}

/** One kind of chart repositories. */
export interface ChartRepositories<P extends Place> {
  /** The archive that the digest pins, verified. */
  download(chart: ChartReference, place: P, options: CallOptions): Promise<Uint8Array>;
  /** The digest that pins this version as it is now. */
  resolve(chart: ChartVersion, place: P, options: CallOptions): Promise<string>;
}

const exactVersion = /^v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const chartName = /^[A-Za-z0-9._-]{1,250}$/;
/** The grammar of the OCI distribution specification. */
const ociName = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const ociTag = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** Throws `source` when the reference could name no chart, or more than one. */
export function placeOf(chart: ChartVersion): Place {
  if (!chartName.test(chart.name))
    throw chartError(chart, "its name may have letters, digits, dots, dashes and underscores only");
  if (!isExactVersion(chart.version)) throw chartError(chart, versionAdvice(chart.version));
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(chart.repository)?.[1]?.toLowerCase();
  if (scheme !== "https" && scheme !== "http" && scheme !== "oci")
    throw chartError(chart, "its repository has to be https://HOST/PATH or oci://HOST/PATH");
  const url = repositoryUrl(chart, chart.repository.replace(/^oci:/i, "https:"));
  const local = isLoopback(url.hostname);
  if (scheme === "oci") return ociPlace(chart, url, { protocol: local ? "http:" : "https:" });
  if (scheme === "http" && !local) throw chartError(chart, "plain http is allowed to this machine only; use https://");
  return { kind: "http", base: new URL(`${url.origin}${url.pathname.replace(/\/*$/, "/")}`) };
}

export function isExactVersion(version: string): boolean {
  return exactVersion.test(version) && version.length <= 128;
}

/** A `source` error about one chart: what and where stand before `reason`. */
export function chartError(
  { repository, name, version }: ChartVersion,
  reason: string,
  options: DriftlessErrorOptions = {},
): DriftlessError {
  const place = repository.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/i, "$1").replace(/[?#].*$/, "");
  return new DriftlessError("source", `chart ${name} ${version} of ${place}: ${reason}`, {
    ...options,
    facts: { repository: place, chart: name, version, ...options.facts },
  });
}

function repositoryUrl(chart: ChartVersion, text: string): URL {
  if (!URL.canParse(text)) throw chartError(chart, "its repository is not a URL");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw chartError(chart, "credentials do not belong into the repository's URL: remove them and configure access instead");
  if (url.search !== "" || url.hash !== "") throw chartError(chart, "a repository's URL has no ? or # part");
  return url;
}

function ociPlace(chart: ChartVersion, url: URL, { protocol }: { readonly protocol: string }): OciPlace {
  const repository = [...url.pathname.split("/").filter((part) => part !== ""), chart.name].join("/");
  const tag = chart.version.replaceAll("+", "_");
  if (!ociName.test(repository) || repository.length > 255)
    throw chartError(chart, `a registry knows no name like ${repository}: lower-case letters, digits and single separators`);
  if (!ociTag.test(tag)) throw chartError(chart, "its version is too long for a registry");
  // The name that people know is not where the API of Docker Hub answers.
  const host = url.host === "docker.io" ? "registry-1.docker.io" : url.host;
  return { kind: "oci", registry: new URL(`${protocol}//${host}/`), repository, tag };
}

function versionAdvice(version: string): string {
  if (version === "") return "it has no version; give an exact one, such as 1.2.3";
  const range = /[\^~<>=*|, ]|(?:^|\.)x(?:\.|$)|^latest$/i.test(version);
  return range ? "a range of versions is not allowed; give an exact one, such as 1.2.3" : "this is no version; 1.2.3 is one";
}
