import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
  readonly service: string;
}

/** Whether a request carries the signature that this signer makes for just it, worked out from the request alone as the service does. */
export function isSignedBy(signer: Signer, request: IncomingMessage, body: Buffer): boolean {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/[^/]+\/aws4_request), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const [, keyId = "", scope = "", names = "", signature = ""] = form.exec(request.headers.authorization ?? "") ?? [];
  const time = String(request.headers["x-amz-date"]);
  if (keyId !== signer.accessKeyId || scope !== `${time.slice(0, 8)}/${signer.region}/${signer.service}/aws4_request`)
    return false;
  if (request.headers["x-amz-security-token"] !== signer.sessionToken) return false;
  if (!names.split(";").includes("host") || !names.split(";").includes("x-amz-date")) return false;
  if (signer.sessionToken !== undefined && !names.split(";").includes("x-amz-security-token")) return false;

  const [path = "", query = ""] = (request.url ?? "").split("?");
  const canonicalQuery = query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [name = "", value = ""] = pair.split("=").map((part) => decodeURIComponent(part.replaceAll("+", "%20")));
      return `${quote(name)}=${quote(value)}`;
    })
    .sort()
    .join("&");
  const lines = names.split(";").map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [
    request.method,
    path.split("/").map(quote).join("/"),
    canonicalQuery,
    lines.join(""),
    names,
    createHash("sha256").update(body).digest("hex"),
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  let key: Buffer = Buffer.from(`AWS4${signer.secretAccessKey}`);
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  return timingSafeEqual(createHmac("sha256", key).update(text).digest(), Buffer.from(signature, "hex"));
}

/** As RFC 3986 has it, byte by byte. */
function quote(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}
