import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Operation } from "@aws-sdk/client-lambda";
import type { DurableEngine } from "./durable.ts";
import type { CheckpointRequest } from "./execution.ts";
import type { Outcome } from "./invocation.ts";
import { readBody, sendJson } from "./loopback.ts";
import { invalidParameter, type Refusal } from "./operations.ts";

export interface LambdaApiDeps {
  readonly functions: Readonly<Record<string, { readonly durable?: boolean }>>;
  readonly engine: DurableEngine;
  readonly run: (functionName: string, payload: string, qualifier?: string) => Promise<Outcome>;
  /** The asynchronous call, with its retries. */
  readonly runLater: (functionName: string, payload: string) => Promise<void>;
  /** Waits for a durable execution to end. */
  readonly runDurable: (arn: string) => Promise<Outcome>;
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The decoded path parameter. */
  readonly target: string;
}

const paths = {
  invoke: /^\/2015-03-31\/functions\/([^/]+)\/invocations$/,
  checkpoint: /^\/2025-12-01\/durable-executions\/([^/]+)\/checkpoint$/,
  state: /^\/2025-12-01\/durable-executions\/([^/]+)\/state$/,
} as const;
const limits = { synchronous: 6_291_456, asynchronous: 1_048_576, checkpoint: 8_388_608 } as const;
const defaultPage = 100;
const largestPage = 1000;

/** The part of the Lambda REST API that Driftless uses: Invoke, CheckpointDurableExecution, GetDurableExecutionState. */
export function createLambdaApi(deps: LambdaApiDeps): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const call = (pattern: RegExp): Call | undefined => {
      const target = pattern.exec(url.pathname)?.[1];
      return target === undefined ? undefined : { request, response, url, target: decodeURIComponent(target) };
    };
    const invoke = call(paths.invoke);
    const checkpoint = call(paths.checkpoint);
    const state = call(paths.state);
    if (invoke !== undefined && request.method === "POST") await answerInvoke(deps, invoke);
    else if (checkpoint !== undefined && request.method === "POST") await answerCheckpoint(deps, checkpoint);
    else if (state !== undefined && request.method === "GET") answerState(deps, state);
    else refuse(response, { status: 404, type: "ResourceNotFoundException", message: "This operation is not served locally." });
  };
}

async function answerInvoke(deps: LambdaApiDeps, { request, response, url, target }: Call): Promise<void> {
  const type = request.headers["x-amz-invocation-type"] ?? "RequestResponse";
  const body = await readBody(request, type === "Event" ? limits.asynchronous : limits.synchronous);
  const [functionName, qualifier = url.searchParams.get("Qualifier") ?? undefined] = parseFunctionName(target);
  const executionName = request.headers["x-amz-durable-execution-name"];
  const name = typeof executionName === "string" ? executionName : undefined;
  const refusal = whyRefused(deps, { functionName, qualifier, name, body, target });
  if (refusal !== undefined || body === undefined) return refuse(response, refusal ?? tooLarge);
  const input = body.length === 0 ? "{}" : body.toString();
  if (type === "DryRun") {
    response.writeHead(204).end();
    return;
  }
  if (deps.functions[functionName]?.durable !== true) {
    if (type === "Event") void deps.runLater(functionName, input);
    return type === "Event" ? accept(response) : sendOutcome(response, await deps.run(functionName, input, qualifier));
  }
  const started = deps.engine.start({ functionName, qualifier: qualifier ?? "$LATEST", name: name ?? randomUUID(), input });
  if ("refusal" in started) return refuse(response, started.refusal);
  const headers = { "x-amz-durable-execution-arn": started.arn };
  return type === "Event" ? accept(response, headers) : sendOutcome(response, await deps.runDurable(started.arn), headers);
}

/** `name`, `name:qualifier`, or either as the end of an ARN. */
function parseFunctionName(target: string): readonly [string, string?] {
  const [name = "", qualifier] = target.replace(/^.*:?function:/, "").split(":");
  return qualifier === undefined ? [name] : [name, qualifier];
}

interface InvokeFacts {
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly name: string | undefined;
  readonly body: Buffer | undefined;
  readonly target: string;
}

const tooLarge: Refusal = { status: 413, type: "RequestTooLargeException", message: "The payload is over the limit of Invoke." };

function whyRefused(deps: LambdaApiDeps, { functionName, qualifier, name, body, target }: InvokeFacts): Refusal | undefined {
  const found = Object.hasOwn(deps.functions, functionName) ? deps.functions[functionName] : undefined;
  if (found === undefined) return { status: 404, type: "ResourceNotFoundException", message: `Function not found: ${target}` };
  if (body === undefined) return tooLarge;
  if (!isJson(body))
    return { status: 400, type: "InvalidRequestContentException", message: "Could not parse request body into json" };
  if (found.durable === true && qualifier === undefined) {
    return invalidParameter("You cannot invoke a durable function using an unqualified ARN.");
  }
  if (name !== undefined && found.durable !== true) return invalidParameter(`${functionName} is not a durable function.`);
  if (name !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    return invalidParameter(`DurableExecutionName ${name} is not 1 to 64 letters, digits, hyphens and underscores.`);
  }
  return undefined;
}

function isJson(body: Buffer): boolean {
  try {
    if (body.length > 0) JSON.parse(body.toString());
    return true;
  } catch {
    return false;
  }
}

async function answerCheckpoint({ engine }: LambdaApiDeps, { request, response, target }: Call): Promise<void> {
  const body = await readBody(request, limits.checkpoint);
  if (body === undefined) return refuse(response, tooLarge);
  const answer = engine.checkpoint(target, JSON.parse(body.toString()) as CheckpointRequest);
  if (answer === "killed") {
    request.socket.destroy();
    return;
  }
  if ("refusal" in answer) return refuse(response, answer.refusal);
  sendJson(response, 200, {
    CheckpointToken: answer.token,
    NewExecutionState: { Operations: answer.changed.map(wireOperation) },
  });
}

function answerState({ engine }: LambdaApiDeps, { response, url, target }: Call): void {
  const size = Math.min(Number(url.searchParams.get("MaxItems") ?? 0) || defaultPage, largestPage);
  const start = Number(url.searchParams.get("Marker") ?? 0);
  const found = engine.state(target, { token: url.searchParams.get("CheckpointToken") ?? "", start, size });
  if ("refusal" in found) return refuse(response, found.refusal);
  sendJson(response, 200, { ...found, Operations: found.Operations.map(wireOperation) });
}

/** Answers of the API have times in seconds; the event of an invocation has them as text. */
function wireOperation(operation: Operation): unknown {
  const { StartTimestamp, EndTimestamp, StepDetails, WaitDetails } = operation;
  return {
    ...operation,
    StartTimestamp: seconds(StartTimestamp),
    EndTimestamp: seconds(EndTimestamp),
    StepDetails: StepDetails && { ...StepDetails, NextAttemptTimestamp: seconds(StepDetails.NextAttemptTimestamp) },
    WaitDetails: WaitDetails && { ScheduledEndTimestamp: seconds(WaitDetails.ScheduledEndTimestamp) },
  };
}

function seconds(time: Date | undefined): number | undefined {
  return time === undefined ? undefined : time.getTime() / 1000;
}

function accept(response: ServerResponse, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(202, { "content-length": 0, ...headers }).end();
}

function sendOutcome(response: ServerResponse, outcome: Outcome, headers: Readonly<Record<string, string>> = {}): void {
  const failed = "error" in outcome;
  const bytes = Buffer.from(failed ? JSON.stringify(outcome.error) : outcome.payload);
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "x-amz-executed-version": "$LATEST",
    ...(failed ? { "x-amz-function-error": "Unhandled" } : {}),
    ...headers,
  });
  response.end(bytes);
}

function refuse(response: ServerResponse, { status, type, message }: Refusal): void {
  sendJson(response, status, { Type: "User", message, Message: message }, { "x-amzn-errortype": type });
}
