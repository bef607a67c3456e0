import { DriftlessError } from "../errors.ts";
import { idLength, type ObjectFormat } from "./objects.ts";

/** Offsets of objects in one pack file. */
export interface PackIndex {
  /** Offset of the object's entry in the pack; undefined when the pack does not hold it. */
  find(oid: string): number | undefined;
}

const magic = 0xff744f63;
const fanoutBytes = 256 * 4;

/** Reads an index file of version 2, the only one that Git has written since 2007. */
export function createPackIndex(file: string, bytes: Buffer, format: ObjectFormat): PackIndex {
  if (bytes.length < 8 + fanoutBytes || bytes.readUInt32BE(0) !== magic || bytes.readUInt32BE(4) !== 2) {
    throw new DriftlessError("source", `${file} is not a pack index of version 2`);
  }
  const width = idLength(format);
  const fanout = (index: number): number => (index < 0 ? 0 : bytes.readUInt32BE(8 + index * 4));
  const count = fanout(255);
  const ids = 8 + fanoutBytes;
  const offsets = ids + count * (width + 4);
  const largeOffsets = offsets + count * 4;
  if (largeOffsets + 2 * width > bytes.length) throw new DriftlessError("source", `${file} ends too early`);

  const offsetAt = (position: number): number => {
    const offset = bytes.readUInt32BE(offsets + position * 4);
    return offset < 0x80000000 ? offset : Number(bytes.readBigUInt64BE(largeOffsets + (offset - 0x80000000) * 8));
  };
  return {
    find(oid) {
      const wanted = Buffer.from(oid, "hex");
      if (wanted.length !== width) return undefined;
      let low = fanout(wanted[0]! - 1);
      let high = fanout(wanted[0]!);
      while (low < high) {
        const middle = (low + high) >>> 1;
        const order = wanted.compare(bytes, ids + middle * width, ids + (middle + 1) * width);
        if (order === 0) return offsetAt(middle);
        if (order < 0) high = middle;
        else low = middle + 1;
      }
      return undefined;
    },
  };
}
