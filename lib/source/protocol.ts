import { DriftlessError } from "../errors.ts";
import type { SourceLimits } from "./limits.ts";
import type { ObjectFormat } from "./objects.ts";
import { cutOff, delimiterPacket, flushPacket, lineText, type Packet, packetLine, readPackets } from "./pkt-line.ts";

/** What a server says it can do, of what matters here. */
export interface Capabilities {
  readonly format: ObjectFormat;
  /** Leaves blobs out of a pack on request. */
  readonly filter: boolean;
  /** Leaves history out of a pack on request. */
  readonly shallow: boolean;
}

const agent = "agent=driftless";

/** Reads the answer to `info/refs`. Throws `source` for a server without protocol version 2. */
export async function readCapabilities(body: AsyncIterable<Uint8Array>): Promise<Capabilities> {
  const lines: string[] = [];
  let complete = false;
  for await (const packet of readPackets(body)) {
    complete = packet.type === "flush";
    if (packet.type === "line") lines.push(checkedLine(packet.payload));
  }
  if (!complete) throw cutOff();
  const version = lines.indexOf("version 2");
  if (version < 0)
    throw new DriftlessError(
      "source",
      "the server does not speak version 2 of Git's protocol over HTTP (Git 2.18 or later does)",
    );
  const capabilities = new Map(lines.slice(version + 1).map((line) => splitOnce(line, "=")));
  const fetch = (capabilities.get("fetch") ?? "").split(" ");
  const format = capabilities.get("object-format") ?? "sha1";
  if (format !== "sha1" && format !== "sha256")
    throw new DriftlessError("source", `the repository has the unknown object format ${format}`);
  return { format, filter: fetch.includes("filter"), shallow: fetch.includes("shallow") };
}

/** The request for the refs whose names start with `prefix`. */
export function lsRefsRequest(prefix: string, { format }: Capabilities): string {
  const head = ["command=ls-refs", agent, `object-format=${format}`].map(packetLine).join("");
  return `${head}${delimiterPacket}${packetLine(`ref-prefix ${prefix}`)}${flushPacket}`;
}

/** Ref names to object ids. */
export async function readRefs(body: AsyncIterable<Uint8Array>): Promise<ReadonlyMap<string, string>> {
  const refs = new Map<string, string>();
  let complete = false;
  for await (const packet of readPackets(body)) {
    complete = packet.type === "flush";
    if (packet.type !== "line") continue;
    const [oid, name] = checkedLine(packet.payload).split(" ");
    if (oid !== undefined && name !== undefined) refs.set(name, oid);
  }
  if (!complete) throw cutOff();
  return refs;
}

export interface FetchRequest {
  readonly wants: readonly string[];
  /** Commits whose trees are held already; taken up only where the server filters blobs out, as the blobs are not held. */
  readonly haves?: readonly string[];
  /** Commit and trees only, without history: for commits, not for blobs. */
  readonly commitOnly?: boolean;
}

/** The request for a pack; `done` ends the negotiation before it starts. */
export function fetchRequest(
  { wants, haves: held = [], commitOnly = false }: FetchRequest,
  { format, filter, shallow }: Capabilities,
): string {
  const haves = filter && shallow ? held : [];
  const head = ["command=fetch", agent, `object-format=${format}`];
  const thin = haves.length > 0 ? ["thin-pack"] : [];
  const narrowed = commitOnly
    ? [...(shallow ? [...haves.map((have) => `shallow ${have}`), "deepen 1"] : []), ...(filter ? ["filter blob:none"] : [])]
    : [];
  const body = [
    ...thin,
    "ofs-delta",
    "no-progress",
    ...narrowed,
    ...wants.map((oid) => `want ${oid}`),
    ...haves.map((oid) => `have ${oid}`),
    "done",
  ];
  return `${head.map(packetLine).join("")}${delimiterPacket}${body.map(packetLine).join("")}${flushPacket}`;
}

/** The bytes of the pack in the answer to a fetch; anything but a complete answer throws `source`. */
export async function readPackBytes(body: AsyncIterable<Uint8Array>, { packBytes }: SourceLimits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let section = "";
  let complete = false;
  for await (const packet of readPackets(body)) {
    complete = packet.type === "flush";
    const chunk = section === "packfile" ? sideband(packet) : undefined;
    if (chunk === undefined) {
      section = nextSection(section, packet);
      continue;
    }
    bytes += chunk.length;
    if (bytes > packBytes) throw new DriftlessError("source", `the pack is larger than ${packBytes} bytes; it is refused`);
    chunks.push(chunk);
  }
  if (!complete || section !== "") throw cutOff();
  return Buffer.concat(chunks);
}

/** A section starts with its name and ends with a delimiter or a flush. */
function nextSection(section: string, packet: Packet): string {
  if (packet.type !== "line") return "";
  return section === "" ? checkedLine(packet.payload) : section;
}

/** Band 1 is the pack, 2 is progress, 3 a fatal error. */
function sideband(packet: Packet): Buffer | undefined {
  if (packet.type !== "line") return undefined;
  const band = packet.payload[0];
  const payload = packet.payload.subarray(1);
  if (band === 3) throw serverError(lineText(payload));
  return band === 1 ? payload : Buffer.alloc(0);
}

function checkedLine(payload: Buffer): string {
  const text = lineText(payload);
  if (text.startsWith("ERR ")) throw serverError(text.slice(4));
  return text;
}

/** `not our ref` is how a server says that it has no such object. */
function serverError(text: string): DriftlessError {
  const clean = text.replace(/[^\x20-\x7e]+/g, " ").slice(0, 300);
  const missing = /not our ref ([0-9a-f]{40,64})/.exec(clean)?.[1];
  if (missing === undefined) return new DriftlessError("source", `the Git server says: ${clean}`, { retryable: true });
  return new DriftlessError("source", `the repository has no object ${missing}`, { facts: { missing } });
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
