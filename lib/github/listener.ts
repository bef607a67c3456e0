import type { IncomingMessage, ServerResponse } from "node:http";
import { isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { readBody } from "./body.ts";
import { parseEvent, type WebhookEvent } from "./event.ts";
import type { WebhookSecrets } from "./secrets.ts";
import { signatureShape, verifyDelivery } from "./signature.ts";

/** A delivery whose signature holds; its id and its event's name are headers, which the signature does not cover. */
export interface SignedDelivery {
  readonly id: string;
  readonly event: string;
  readonly content: WebhookEvent;
}

export interface Acceptance {
  readonly state: "queued" | "ignored" | "duplicate";
  /** Why nothing was queued; "" otherwise. */
  readonly reason: string;
}

/** Takes a delivery in; throws, retryable, when that could not be written down. */
export type AcceptDelivery = (delivery: SignedDelivery, options: CallOptions) => Promise<Acceptance>;

export interface WebhookListenerDeps {
  readonly secrets: WebhookSecrets;
  readonly accept: AcceptDelivery;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** Default "/webhook". */
  readonly path?: string;
  /** Largest body in bytes. Default 6 MiB, the most that a function is handed. */
  readonly maxBytes?: number;
  /** Milliseconds until the answer stands, whatever else does. Default 7500: GitHub gives up after ten seconds. */
  readonly deadlineMs?: number;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const formAdvice = "content type must be application/json: choose application/json as content type in the webhook's settings";

/** GitHub's webhook as a plain listener: for `http.createServer`, and behind serverless-http. */
export function createWebhookListener(deps: WebhookListenerDeps): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const delivery = header(request, "x-github-delivery");
    const log = deps.log.with({ correlationId: isDeliveryId(delivery) ? delivery : "none" });
    answerTo(request, { ...deps, log })
      .catch((error: unknown): Answer => failure(error, log))
      .then((answer) => send(response, answer))
      .catch((error: unknown) => log.error("webhook.answer-lost", { error }));
  };
}

async function answerTo(request: IncomingMessage, deps: WebhookListenerDeps): Promise<Answer> {
  const { secrets, log, path = "/webhook", maxBytes = 6 * 1024 * 1024, deadlineMs = 7500 } = deps;
  const signal = AbortSignal.timeout(deadlineMs);
  const refused = refuseByHeaders(request, path);
  if (refused !== undefined) {
    request.resume();
    return refuse(refused, log);
  }
  const body = await readBody(request, { maxBytes, signal });
  if (body.kind === "too-large") {
    return refuse({ status: 413, body: { error: `the body is larger than ${maxBytes} bytes` } }, log);
  }
  const signedWith = await within(signal, whoSigned({ secrets, request, rawBody: body.bytes, signal }));
  if (signedWith === undefined) return refuse(forged, log);
  if (signedWith === "previous") {
    log.warn("webhook.previous-secret", { advice: "update the secret in GitHub's settings" });
    deps.metrics?.emit({ values: { PreviousSecretUsed: 1 } });
  }
  return accepted(request, body.bytes, { ...deps, signal });
}

/** Everything that can be told before a byte of the body is read; undefined when nothing speaks against the request. */
function refuseByHeaders(request: IncomingMessage, path: string): Answer | undefined {
  if ((request.url ?? "").split("?", 1)[0] !== path) return { status: 404, body: { error: "there is nothing here" } };
  if (request.method !== "POST") return { status: 405, body: { error: "only POST is answered" }, headers: { allow: "POST" } };
  if (!/^application\/json\s*(?:;|$)/i.test(header(request, "content-type"))) return { status: 415, body: { error: formAdvice } };
  if (!signatureShape.test(header(request, "x-hub-signature-256"))) return forged;
  if (!isDeliveryId(header(request, "x-github-delivery"))) {
    return malformed("X-GitHub-Delivery must be 1 to 100 letters, digits and dashes");
  }
  if (!/^[A-Za-z0-9_.-]{1,50}$/.test(header(request, "x-github-event"))) {
    return malformed("X-GitHub-Event must be 1 to 50 letters, digits, dashes, dots and underscores");
  }
  return undefined;
}

async function whoSigned({
  secrets,
  request,
  rawBody,
  signal,
}: {
  readonly secrets: WebhookSecrets;
  readonly request: IncomingMessage;
  readonly rawBody: Uint8Array;
  readonly signal: AbortSignal;
}): Promise<"current" | "previous" | undefined> {
  const signature = header(request, "x-hub-signature-256");
  const name = await verifyDelivery({ secrets: await secrets.get({ signal }), rawBody, signature });
  if (name !== undefined) return name;
  const rotated = await secrets.refresh({ signal });
  return rotated === undefined ? undefined : verifyDelivery({ secrets: rotated, rawBody, signature });
}

/** Only here, after the signature held, is the body parsed. */
async function accepted(
  request: IncomingMessage,
  rawBody: Uint8Array,
  { accept, log, signal }: Pick<WebhookListenerDeps, "accept" | "log"> & { readonly signal: AbortSignal },
): Promise<Answer> {
  const [id, event] = [header(request, "x-github-delivery"), header(request, "x-github-event")];
  let content: WebhookEvent;
  try {
    content = parseEvent({ event, payload: JSON.parse(Buffer.from(rawBody).toString("utf8")) });
  } catch (error) {
    return refuse(malformed(isDriftlessError(error) ? error.message : "the body is not JSON"), log);
  }
  const { state, reason } = await within(signal, accept({ id, event, content }, { signal }));
  log.info("webhook.answered", { state, reason, githubEvent: event });
  return state === "queued"
    ? { status: 202, body: { delivery: id, state } }
    : { status: 200, body: { delivery: id, state, ...(reason === "" ? {} : { reason }) } };
}

/** Work that does not heed its signal is left behind: whatever it still does is a hint more, which is free. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, late]);
}

const forged: Answer = { status: 401, body: { error: "the signature does not hold" } };

function malformed(error: string): Answer {
  return { status: 400, body: { error } };
}

function refuse(answer: Answer, log: Log): Answer {
  log.info("webhook.refused", { status: answer.status, reason: answer.body["error"] });
  return answer;
}

function failure(error: unknown, log: Log): Answer {
  if (isDriftlessError(error, "webhook")) return refuse(malformed(error.message), log);
  log.error("webhook.failed", { error });
  const passing = isDriftlessError(error, "queue", "store") || (isDriftlessError(error) && error.retryable) || isTimeout(error);
  return passing
    ? { status: 503, body: { error: "not taken in: redeliver it later" }, headers: { "retry-after": "30" } }
    : { status: 500, body: { error: "not taken in: the log says why" } };
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  if (response.destroyed) return;
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.setHeader("x-content-type-options", "nosniff");
  response.end(JSON.stringify(body));
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

function isDeliveryId(text: string): boolean {
  return /^[A-Za-z0-9-]{1,100}$/.test(text);
}
