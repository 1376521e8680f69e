/**
 * Write a zip archive of stored files as one Blob that refers to them: nothing is copied, and each
 * file is read once for its checksum. Sizes stay below 4 GiB.
 *
 * Source: PKWARE APPNOTE.TXT 6.3.10, 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to
 * 4.3.16 (its end, zip64).
 */

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const UTF8 = 0x0800;
const VERSION = 20;
const VERSION64 = 45;
const FIRST_DAY = (1 << 5) | 1;
const MOST = 0xffff;
const READ_BYTES = 4 << 20;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

export interface Entry {
  path: string;
  data: Blob;
}

export async function zip(entries: readonly Entry[]): Promise<Blob> {
  const parts: BlobPart[] = [];
  const directory: BlobPart[] = [];
  let at = 0;
  for (const { path, data } of entries) {
    const name = new TextEncoder().encode(path);
    const crc = await checksum(data);
    const local = header(LOCAL, name, crc, data.size, null);
    parts.push(local, data);
    directory.push(header(CENTRAL, name, crc, data.size, at));
    at += local.length + data.size;
  }
  const size = directory.reduce((sum, part) => sum + (part as Uint8Array).length, 0);
  return new Blob([...parts, ...directory, end(entries.length, size, at)]);
}

/** CRC-32 as zip has it. */
export async function checksum(data: Blob): Promise<number> {
  let crc = 0xffffffff;
  for (let at = 0; at < data.size; at += READ_BYTES) {
    const bytes = new Uint8Array(await data.slice(at, at + READ_BYTES).arrayBuffer());
    for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A local header, or with the place of one its entry in the directory. */
function header(signature: number, name: Uint8Array, crc: number, size: number, at: number | null): Uint8Array<ArrayBuffer> {
  const central = at !== null;
  const fields = new Fields((central ? 46 : 30) + name.length);
  fields.long(signature);
  if (central) fields.short(VERSION);
  fields.short(VERSION, UTF8, 0, 0, FIRST_DAY);
  fields.long(crc, size, size);
  fields.short(name.length, 0);
  if (central) {
    fields.short(0, 0, 0);
    fields.long(0, at);
  }
  return fields.with(name);
}

function end(count: number, size: number, at: number): Uint8Array<ArrayBuffer> {
  const large = count >= MOST;
  const fields = new Fields(22 + (large ? 76 : 0));
  if (large) {
    fields.long(END64, 44, 0);
    fields.short(VERSION64, VERSION64);
    fields.long(0, 0, count, 0, count, 0, size, 0, at, 0);
    fields.long(LOCATOR64, 0, at + size, 0, 1);
  }
  fields.long(END);
  fields.short(0, 0, Math.min(count, MOST), Math.min(count, MOST));
  fields.long(size, at);
  fields.short(0);
  return fields.bytes;
}

/** Little-endian numbers, one after the other. */
class Fields {
  readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly view: DataView;
  private at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }

  short(...values: number[]): void {
    for (const value of values) this.view.setUint16(this.step(2), value, true);
  }

  long(...values: number[]): void {
    for (const value of values) this.view.setUint32(this.step(4), value, true);
  }

  with(tail: Uint8Array): Uint8Array<ArrayBuffer> {
    this.bytes.set(tail, this.at);
    return this.bytes;
  }

  private step(by: number): number {
    this.at += by;
    return this.at - by;
  }
}
