import type { IncomingHttpHeaders } from "node:http";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Secret } from "../../telemetry/secret.ts";
import type { HttpAnswer, HttpClient } from "../http.ts";
import { askedWait } from "../rate-limit.ts";
import { checkPublicHost, isLoopback, publicLookup } from "./addresses.ts";

export interface WebRequest {
  readonly url: URL;
  /** The chart repository that names `url`. Hosts other than its own have to be public, unless it is this machine. */
  readonly home: URL;
  readonly accept?: string;
  /** The whole Authorization header; it goes to the origin of `url` and no further. */
  readonly authorization?: Secret | undefined;
  /** Most bytes of the body, decompressed. */
  readonly limit: number;
  /** True asks for a compressed body and decompresses it; false takes the body as it is, however it is labelled. */
  readonly compressed?: boolean;
  /** False refuses every redirect. Default true. */
  readonly redirects?: boolean;
  /** True lets the host of `url` be private: who runs this installation named it. */
  readonly trusted?: boolean;
}

export interface WebAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Empty unless the status is 2xx. */
  readonly body: Uint8Array;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** Seconds that the answer asks to wait. */
  readonly waitSeconds: number | undefined;
}

export interface Web {
  /** Gives any answer, whatever its status. Throws `source` for a refused redirect or address, and for a body over the limit. */
  get(request: WebRequest, options: CallOptions): Promise<WebAnswer>;
}

const maxRedirects = 3;

export function createWeb({ http, clock }: { readonly http: HttpClient; readonly clock: Clock }): Web {
  const ask = (request: WebRequest, options: CallOptions): Promise<WebAnswer | { readonly moved: URL }> => {
    const { url, accept = "*/*", authorization, compressed = false } = request;
    const guarded = isForeign(request);
    if (guarded) checkPublicHost(url);
    const headers = { accept, "accept-encoding": compressed ? "gzip" : "identity", "user-agent": "driftless" };
    const read = async (answer: HttpAnswer): Promise<WebAnswer | { readonly moved: URL }> => {
      const { status, location } = answer;
      if (location !== undefined) return { moved: redirected(request, location) };
      return {
        status,
        headers: answer.headers,
        body: status >= 200 && status < 300 ? await readBody(answer, request) : new Uint8Array(),
        url,
        waitSeconds: askedWait({ status, headers: answer.headers, text: "", now: clock.now() }),
      };
    };
    const lookup = guarded ? publicLookup : undefined;
    return http.exchange({ url, method: "GET", headers, authorization, anyStatus: true, lookup }, read, options);
  };
  return {
    async get(request, options) {
      let current = request;
      for (let followed = 0; ; followed += 1) {
        const answer = await ask(current, options);
        if (!("moved" in answer)) return answer;
        if (followed === maxRedirects || request.redirects === false)
          throw new DriftlessError(
            "source",
            `${shown(request.url)} redirects ${followed === 0 ? "elsewhere" : "too often"}; refused`,
          );
        const { moved } = answer;
        const sameOrigin = moved.origin === current.url.origin;
        current = { ...current, url: moved, trusted: false, authorization: sameOrigin ? current.authorization : undefined };
      }
    },
  };
}

/** A URL as messages show it: queries hold the signatures of storage hosts. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** Says why no request may go to a URL that a chart repository named; undefined when it may. */
export function refusedTarget({ url, home }: Pick<WebRequest, "url" | "home">): string | undefined {
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname) && isLoopback(home.hostname)))
    return `to ${url.protocol}//, which is refused: only https:// is followed`;
  if (url.username !== "" || url.password !== "") return "to a URL with credentials in it, which is refused";
  return undefined;
}

function isForeign({ url, home, trusted = false }: WebRequest): boolean {
  return !trusted && url.hostname !== home.hostname && !isLoopback(home.hostname);
}

function redirected({ url, home }: WebRequest, location: string): URL {
  const to = URL.canParse(location, url.href) ? new URL(location, url.href) : undefined;
  const reason = to === undefined ? "to something that is no URL" : refusedTarget({ url: to, home });
  if (to === undefined || reason !== undefined) throw new DriftlessError("source", `${shown(url)} redirects ${reason}`);
  return to;
}

async function readBody({ body, headers }: HttpAnswer, { url, limit, compressed = false }: WebRequest): Promise<Uint8Array> {
  const encoding = headers["content-encoding"] ?? "identity";
  const packed = compressed && /^(?:x-)?gzip$/i.test(encoding);
  if (compressed && !packed && encoding !== "identity")
    throw new DriftlessError("source", `${shown(url)} answered with the encoding ${encoding}, which was not asked for`);
  if (Number(headers["content-length"] ?? 0) > limit) throw tooLarge(url, limit);
  const chunks: Uint8Array[] = [];
  const collect = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    let size = 0;
    for await (const chunk of source) {
      size += chunk.length;
      if (size > limit) throw tooLarge(url, limit);
      chunks.push(chunk);
    }
  };
  await (packed ? pipeline(body, createGunzip(), collect) : collect(body));
  return Buffer.concat(chunks);
}

function tooLarge(url: URL, limit: number): DriftlessError {
  return new DriftlessError("source", `${shown(url)} is larger than ${limit} bytes, which is the most that is read of it`, {
    facts: { limit },
  });
}
