import { inflateRawSync } from "node:zlib";

export interface ZipFile {
  readonly name: string;
  /** Unix permission bits. */
  readonly mode: number;
  readonly bytes: Buffer;
}

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const endBytes = 22;

/** The files of a zip without comment, encryption or zip64. */
export function readZip(zip: Buffer): ZipFile[] {
  const end = zip.length - endBytes;
  if (zip.readUInt32LE(end) !== endSignature) throw new Error("not a zip, or one with a comment");
  const files: ZipFile[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (zip.readUInt32LE(at) !== entrySignature) throw new Error("the directory of the zip is damaged");
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const name = zip.toString("utf8", at + 46, at + 46 + nameBytes);
    files.push({ name, mode: (zip.readUInt32LE(at + 38) >>> 16) & 0o777, bytes: content(zip, at) });
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return files;
}

function content(zip: Buffer, entry: number): Buffer {
  const [method, packedBytes, header] = [
    zip.readUInt16LE(entry + 10),
    zip.readUInt32LE(entry + 20),
    zip.readUInt32LE(entry + 42),
  ];
  const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  const packed = zip.subarray(start, start + packedBytes);
  if (method === 0) return packed;
  if (method === 8) return inflateRawSync(packed);
  throw new Error(`compression method ${method}`);
}
