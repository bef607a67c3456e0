import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { ensureGoBinary } from "../../../scripts/go-binary.ts";
import { type LoopbackServer, startHttp } from "../repositories.ts";

const module = path.join(import.meta.dirname, "../../oracles/registry");

/** A real registry in memory, another program on this machine. */
export async function startRegistry(): Promise<LoopbackServer> {
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const binary = await ensureGoBinary({ name: "registry", module, about: "10 seconds", progress });
  const child = spawn(binary, [], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const lines = createInterface(child.stdout);
  const [address] = (await once(lines, "line")) as [string];
  return {
    url: `http://${address}`,
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Stands for a packaged chart: nobody unpacks it here. */
export function anArchive(content: string): Buffer {
  return gzipSync(`archive of ${content}`);
}

export const configType = "application/vnd.cncf.helm.config.v1+json";
export const contentType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const manifestType = "application/vnd.oci.image.manifest.v1+json";

export interface PushedChart {
  readonly registry: string;
  /** With the chart's name at its end. */
  readonly repository: string;
  readonly tag: string;
  readonly config: object;
  readonly archive: Uint8Array;
  /** Changes the manifest before it is pushed. */
  readonly change?: (manifest: Manifest) => object;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[];
}

/** Pushes as `helm push` does; gives the digest of the manifest. */
export async function pushChart({ registry, repository, tag, config, archive, change }: PushedChart): Promise<string> {
  const at = `${registry}/v2/${repository}`;
  const describe = async (mediaType: string, content: Uint8Array) => {
    const digest = sha256(content);
    await put(`${at}/blobs/uploads/?digest=${digest}`, { method: "POST", body: new Uint8Array(content) });
    return { mediaType, digest, size: content.length };
  };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: await describe(configType, Buffer.from(JSON.stringify(config))),
    layers: [await describe(contentType, archive)],
  };
  const body = JSON.stringify(change?.(manifest) ?? manifest);
  await put(`${at}/manifests/${tag}`, { method: "PUT", body, headers: { "content-type": manifestType } });
  return sha256(Buffer.from(body));
}

async function put(url: string, init: RequestInit): Promise<void> {
  const answer = await fetch(url, init);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

export interface SeenRequest {
  readonly url: string;
  readonly authorization: string | undefined;
}

export interface Front extends LoopbackServer {
  /** Host and port. */
  readonly host: string;
  readonly seen: readonly SeenRequest[];
}

/** A server before another one: `answer` takes a request, or gives false to have it handed on. */
export async function startFront(
  target: string,
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<Front> {
  const seen: SeenRequest[] = [];
  const server = await startHttp((request, response) => {
    seen.push({ url: request.url ?? "", authorization: request.headers.authorization });
    if (!answer(request, response)) handOn(target, request, response).catch(() => response.destroy());
  });
  return { ...server, host: new URL(server.url).host, seen };
}

async function handOn(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = new Uint8Array(await buffer(request));
  const { method = "GET", headers } = request;
  const answer = await fetch(`${target}${request.url}`, {
    method,
    headers: { accept: headers.accept ?? "*/*" },
    ...(method === "GET" ? {} : { body: asked }),
  });
  const body = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(body);
}
