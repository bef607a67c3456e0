import { fileURLToPath } from "node:url";
import { DriftlessError } from "../errors.ts";
import { type Clock, systemClock } from "../telemetry/clock.ts";
import { type Log, silentLog } from "../telemetry/log.ts";
import { createObjectCache } from "./cache.ts";
import { createHttpClient } from "./http.ts";
import { defaultLimits, type SourceLimits } from "./limits.ts";
import { createLocalSource } from "./local.ts";
import type { Authorization } from "./remote.ts";
import { createSmartHttpSource } from "./smart-http.ts";
import type { Source, Sources } from "./source.ts";

export interface SourcesOptions {
  /** Gives the Authorization header for a repository; asked before each request, so it may renew tokens. */
  readonly authorization?: Authorization;
  /** Bytes of object bodies kept for all repositories together. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** Milliseconds for one request, its answer included. Default 30,000. */
  readonly timeoutMs?: number;
  /** Plain http to hosts other than this machine; such requests carry no credentials. Default false. */
  readonly allowInsecureHttp?: boolean;
  readonly limits?: Partial<SourceLimits>;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** Chooses by the repository's form: http(s) URL, or file URL and path for one on disk. Throws `config` for any other. */
export function createSources(options: SourcesOptions = {}): Sources {
  const {
    cacheBytes = 64 * 1024 * 1024,
    timeoutMs = 30_000,
    clock = systemClock,
    log = silentLog,
    allowInsecureHttp = false,
  } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const cache = createObjectCache({ maxBytes: cacheBytes });
  const http = createHttpClient({ clock, timeoutMs });
  const opened = new Map<string, Source>();

  const create = (repository: string): Source => {
    const place = placeOf(repository);
    if (place.kind === "folder") return createLocalSource({ folder: place.folder, cache: cache.of(repository), limits });
    const trusted = place.url.protocol === "https:" || isThisMachine(place.url.hostname);
    if (!trusted && !allowInsecureHttp) throw refused(place.url.host, "plain http is allowed to this machine only; use https://");
    const authorization = trusted ? options.authorization : undefined;
    return createSmartHttpSource({ repository: place.url, http, cache: cache.of(repository), limits, log, authorization });
  };
  return {
    source(repository) {
      const source = opened.get(repository) ?? create(repository);
      opened.set(repository, source);
      return source;
    },
  };
}

type Place = { readonly kind: "folder"; readonly folder: string } | { readonly kind: "remote"; readonly url: URL };

function placeOf(repository: string): Place {
  if (repository === "" || repository.includes("\0")) throw refused(repository, "it names no repository");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(repository)?.[1]?.toLowerCase();
  if (scheme === "file") return { kind: "folder", folder: fileURLToPath(repository) };
  if (scheme === "http" || scheme === "https") return { kind: "remote", url: remoteUrl(repository) };
  if (scheme !== undefined) throw refused(withoutUser(repository), `${scheme} is not supported; use https://`);
  if (/^[^/]+:/.test(repository)) throw refused(withoutUser(repository), "ssh is not supported; use https://HOST/PATH");
  return { kind: "folder", folder: repository };
}

function remoteUrl(repository: string): URL {
  if (!URL.canParse(repository)) throw refused(withoutUser(repository), "it is not a URL");
  const url = new URL(repository);
  if (url.username !== "" || url.password !== "") {
    throw refused(withoutUser(repository), "credentials do not belong into the URL: remove them and configure access instead");
  }
  if (url.search !== "" || url.hash !== "") throw refused(`${url.origin}${url.pathname}`, "a clone URL has no ? or # part");
  return url;
}

function isThisMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function withoutUser(repository: string): string {
  return repository.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/i, "$1").replace(/[?#].*$/, "");
}

function refused(repository: string, reason: string): DriftlessError {
  return new DriftlessError("config", `repository ${JSON.stringify(repository)}: ${reason}`);
}
