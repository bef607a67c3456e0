import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AwsCredentials, signPost } from "../../lib/aws/sigv4.ts";
import { clusterHeader } from "../../lib/cluster/eks.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import { refuseUrl, timeOf } from "./eks-token.ts";
import { type LoopbackOptions, readBody, sendJson, startLoopback } from "./loopback.ts";

/** Somebody whose credentials are known. */
export interface LocalCaller {
  readonly credentials: AwsCredentials;
  /** `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` of a role. */
  readonly arn: string;
  /** Of a role without its session: `arn:aws:iam::ACCOUNT:role/ROLE`. */
  readonly canonicalArn: string;
  /** "" for who came by no role. */
  readonly sessionName: string;
  readonly expiration?: Date;
}

export interface LocalRole {
  readonly arn: string;
  /** What the trust policy asks for; "" when it asks for none. */
  readonly externalId: string;
  /** ARNs of those whom it trusts. */
  readonly trusts: readonly string[];
}

export interface LocalStsOptions extends LoopbackOptions {
  readonly region: string;
  readonly users: readonly { readonly arn: string; readonly credentials: AwsCredentials }[];
  readonly roles: readonly LocalRole[];
  readonly clock?: Clock;
}

/** A session that was given out. */
export interface Assumed {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly externalId: string;
  readonly policy: string;
}

/** Stands for AWS STS; clients find it by AWS_ENDPOINT_URL_STS. */
export interface LocalSts {
  readonly endpoint: string;
  readonly assumed: readonly Assumed[];
  /** Whose an access key is; undefined for a stranger's, and for one that has ended. */
  callerOf(accessKeyId: string): LocalCaller | undefined;
  close(): Promise<void>;
}

const sessionMs = 3600 * 1000;
const clockSkewMs = 5 * 60 * 1000;
const bodyLimit = 65_536;

/** Serves AssumeRole and GetCallerIdentity, by the rules of AWS: signature, trust, external id, names. Nothing else is checked. */
export async function startSts({ region, users, roles, clock = systemClock, port }: LocalStsOptions): Promise<LocalSts> {
  const callers = new Map<string, LocalCaller>();
  for (const { arn, credentials } of users) callers.set(credentials.accessKeyId, { credentials, arn, ...roleOf(arn) });
  const assumed: Assumed[] = [];
  const callerOf = (accessKeyId: string): LocalCaller | undefined => {
    const caller = callers.get(accessKeyId);
    return caller?.expiration !== undefined && caller.expiration <= clock.now() ? undefined : caller;
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "GET") return identify(request, response);
    const body = await readBody(request, bodyLimit);
    const form = new URLSearchParams(body?.toString("utf8") ?? "");
    if (request.method !== "POST" || form.get("Action") !== "AssumeRole")
      return refuse(response, {
        status: 400,
        code: "InvalidAction",
        message: "Only AssumeRole and GetCallerIdentity are served.",
      });
    const caller = callerBySignature(request, body?.toString("utf8") ?? "", { region, callerOf, now: clock.now() });
    if ("code" in caller) return refuse(response, caller);
    const refusal = refuseRole(form, { caller, roles });
    if (refusal !== undefined) return refuse(response, refusal);
    return give(response, form);
  }

  function give(response: ServerResponse, form: URLSearchParams): void {
    const [roleArn, sessionName] = [form.get("RoleArn") ?? "", form.get("RoleSessionName") ?? ""];
    const session: LocalCaller & { readonly expiration: Date } = {
      credentials: {
        accessKeyId: `ASIA${randomBytes(8).toString("hex").toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString("base64"),
        sessionToken: randomBytes(90).toString("base64"),
      },
      arn: `${roleArn.replace(/:iam:/, ":sts:").replace(/:role\/(?:.*\/)?/, ":assumed-role/")}/${sessionName}`,
      canonicalArn: roleArn,
      sessionName,
      expiration: new Date(clock.now().getTime() + sessionMs),
    };
    callers.set(session.credentials.accessKeyId, session);
    assumed.push({ roleArn, sessionName, externalId: form.get("ExternalId") ?? "", policy: form.get("Policy") ?? "" });
    sendXml(response, 200, assumeRoleAnswer(session));
  }

  /** Redeems the presigned URL of a token, as the verifier of an API server has it done. */
  function identify(request: IncomingMessage, response: ServerResponse): void {
    const url = URL.parse(`https://${request.headers.host ?? ""}${request.url ?? ""}`);
    const accessKeyId = url?.searchParams.get("X-Amz-Credential")?.split("/")[0] ?? "";
    const caller = callerOf(accessKeyId);
    const clusterName = String(request.headers[clusterHeader] ?? "");
    const refusal =
      caller === undefined
        ? "the access key is not known"
        : refuseUrl(url, { clusterName, region, credentials: caller.credentials, now: clock.now() });
    if (caller === undefined || refusal !== undefined)
      return sendJson(response, 403, { Error: { Code: "SignatureDoesNotMatch", Message: refusal } });
    const [, , , , account = ""] = caller.arn.split(":");
    const id = principalId(caller);
    const result = { Account: account, Arn: caller.arn, UserId: id };
    return sendJson(response, 200, {
      GetCallerIdentityResponse: { GetCallerIdentityResult: result, ResponseMetadata: { RequestId: "local" } },
    });
  }

  const server = await startLoopback(respond, port === undefined ? {} : { port });
  return { endpoint: server.url, assumed, callerOf, close: () => server.close() };
}

/** The role's own id, and the session after a colon. */
export function principalId({ canonicalArn, sessionName }: Pick<LocalCaller, "canonicalArn" | "sessionName">): string {
  const id = createHash("sha256").update(canonicalArn).digest("hex").slice(0, 16).toUpperCase();
  return sessionName === "" ? `AIDA${id}` : `AROA${id}:${sessionName}`;
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

interface Callers {
  readonly region: string;
  readonly callerOf: (accessKeyId: string) => LocalCaller | undefined;
  readonly now: Date;
}

const authorizationShape =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/sts\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$/;

/** Signs the same request again and compares. */
function callerBySignature(request: IncomingMessage, body: string, { region, callerOf, now }: Callers): LocalCaller | Refusal {
  const denied = (code: string, message: string): Refusal => ({ status: 403, code, message });
  const { authorization = "", host = "" } = request.headers;
  const [, accessKeyId = "", scopeRegion, names = ""] = authorizationShape.exec(authorization) ?? [];
  const caller = callerOf(accessKeyId);
  if (caller === undefined) return denied("InvalidClientTokenId", "The security token included in the request is invalid.");
  const at = timeOf(String(request.headers["x-amz-date"] ?? ""));
  if (at === undefined || Math.abs(at.getTime() - now.getTime()) > clockSkewMs)
    return denied("SignatureDoesNotMatch", "Signature expired or not yet current.");
  const signed = names.split(";").filter((name) => !["host", "x-amz-date", "x-amz-security-token"].includes(name));
  const headers = Object.fromEntries(signed.map((name) => [name, String(request.headers[name] ?? "")]));
  const { credentials } = caller;
  const expected = signPost({ host, region, service: "sts", headers, credentials, at, body }).authorization.reveal();
  if (
    request.headers["x-amz-security-token"] !== credentials.sessionToken ||
    scopeRegion !== region ||
    !equal(expected, authorization)
  )
    return denied("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.");
  return caller;
}

function refuseRole(
  form: URLSearchParams,
  { caller, roles }: { readonly caller: LocalCaller; readonly roles: readonly LocalRole[] },
): Refusal | undefined {
  const [arn, session, externalId] = ["RoleArn", "RoleSessionName", "ExternalId"].map((name) => form.get(name) ?? "");
  const invalid = (what: string): Refusal => ({
    status: 400,
    code: "ValidationError",
    message: `1 validation error detected: ${what}`,
  });
  if (!/^[\w+=,.@-]{2,64}$/.test(session ?? "")) return invalid("Value at 'roleSessionName' failed to satisfy constraint");
  if (form.has("ExternalId") && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId ?? ""))
    return invalid("Value at 'externalId' failed to satisfy constraint");
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(arn ?? "")) return invalid(`${arn} is invalid`);
  const role = roles.find((known) => known.arn === arn);
  const isTrusted = role !== undefined && [caller.arn, caller.canonicalArn].some((known) => role.trusts.includes(known));
  if (isTrusted && (role.externalId === "" || role.externalId === externalId)) return undefined;
  const message = `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`;
  return { status: 403, code: "AccessDenied", message };
}

function assumeRoleAnswer({ credentials, arn, expiration, ...caller }: LocalCaller & { readonly expiration: Date }): string {
  const { accessKeyId, secretAccessKey, sessionToken = "" } = credentials;
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser>
      <AssumedRoleId>${principalId(caller)}</AssumedRoleId>
      <Arn>${arn}</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>${accessKeyId}</AccessKeyId>
      <SecretAccessKey>${secretAccessKey}</SecretAccessKey>
      <SessionToken>${sessionToken}</SessionToken>
      <Expiration>${expiration.toISOString().replace(/\.\d{3}/, "")}</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>local</RequestId></ResponseMetadata>
</AssumeRoleResponse>
`;
}

function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  const text = message.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  sendXml(
    response,
    status,
    `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${text}</Message></Error><RequestId>local</RequestId></ErrorResponse>\n`,
  );
}

function sendXml(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/xml", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** The role and session of an ARN; of an IAM user, the ARN itself. */
function roleOf(arn: string): Pick<LocalCaller, "canonicalArn" | "sessionName"> {
  const [, before, account, role, sessionName] = /^(.*):sts::(\d+):assumed-role\/([^/]+)\/(.+)$/.exec(arn) ?? [];
  if (sessionName === undefined) return { canonicalArn: arn, sessionName: "" };
  return { canonicalArn: `${before}:iam::${account}:role/${role}`, sessionName };
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
