import { gzipSync } from "node:zlib";

/** Bytes, or the path that a link leads to. */
export type TarEntry = string | Uint8Array | { readonly link: string };

/** An archive of charts and of what pretends to be one: paths are written as they are given. */
export function tarball(files: Readonly<Record<string, TarEntry>>): Buffer {
  const parts = Object.entries(files).flatMap(([name, entry]) => {
    if (typeof entry === "object" && "link" in entry) return [tarHeader(name, { size: 0, link: entry.link })];
    const body = Buffer.from(entry);
    return [tarHeader(name, { size: body.byteLength }), body, Buffer.alloc(-body.byteLength & 511)];
  });
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]));
}

/** The block before a file's bytes. */
export function tarHeader(name: string, { size, link }: { readonly size: number; readonly link?: string }): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write("0000644\0", 100);
  header.write("0000000\0".repeat(2), 108);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write(`        ${link === undefined ? "0" : "2"}${link ?? ""}`, 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
