import { toHalfFloat } from "./half-float.ts";
import { Info, Simple } from "./wire.ts";

const FIRST_CAPACITY = 512;

/** The longest part that is written in one piece without asking for its length: a head with its argument. */
const MAX_HEAD_BYTES = 9;

/** What would have been written is longer than a {@link ByteWriter} may become. */
export class OutOfRoom extends Error {}

/** A growing buffer with the primitives of the CBOR format: heads, floats, text. */
export class ByteWriter {
  readonly #maxBytes: number;
  #bytes: Uint8Array = new Uint8Array();
  // Two more views of the same memory, for what a Uint8Array cannot write.
  #buffer: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer());
  #end = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#grow(Math.min(FIRST_CAPACITY, maxBytes));
  }

  get length(): number {
    return this.#end;
  }

  get capacity(): number {
    return this.#bytes.length;
  }

  clear(): void {
    this.#end = 0;
  }

  /**
   * A copy of what was written. A small one lies in Node's pool of buffers (see `copyBriefly`), since most of what is
   * encoded is sent and forgotten. Throws `OutOfRoom` when it is longer than allowed.
   */
  take(): Uint8Array {
    if (this.#end > this.#maxBytes) throw new OutOfRoom();
    const copy = Buffer.allocUnsafe(this.#end);
    this.#buffer.copy(copy, 0, 0, this.#end);
    return new Uint8Array(copy.buffer, copy.byteOffset, copy.length);
  }

  /** What was written from `start` on, as a string to compare with. */
  latin1From(start: number): string {
    return this.#buffer.toString("latin1", start, this.#end);
  }

  /** Puts the parts that begin at `starts`, the last of which ends here, into the order of their bytes. */
  sort(starts: readonly number[]): void {
    const [first] = starts;
    if (first === undefined || this.#isSorted(starts)) return;
    // Offsets into one copy: a view of each part would cost more than all comparisons.
    const before = Buffer.from(this.#bytes.subarray(first, this.#end));
    const parts = starts.map((start, i) => ({ start: start - first, end: (starts[i + 1] ?? this.#end) - first }));
    parts.sort((a, b) => before.compare(before, b.start, b.end, a.start, a.end));
    this.#end = first;
    for (const { start, end } of parts) this.#end += before.copy(this.#bytes, this.#end, start, end);
  }

  #isSorted(starts: readonly number[]): boolean {
    return starts.every((start, i) => {
      const next = starts[i + 1];
      return (
        next === undefined || this.#buffer.compare(this.#buffer, next, starts[i + 2] ?? this.#end, start, next) < 0
      );
    });
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#end++] = value;
  }

  /** The head of an item in its shortest form. `argument` is a safe integer, 0 or more. */
  head(major: number, argument: number): void {
    this.#reserve(MAX_HEAD_BYTES);
    const first = major << 5;
    if (argument < Info.oneByte) {
      this.#bytes[this.#end++] = first | argument;
    } else if (argument < 0x100) {
      this.#bytes[this.#end++] = first | Info.oneByte;
      this.#bytes[this.#end++] = argument;
    } else if (argument < 0x1_0000) {
      this.#bytes[this.#end++] = first | Info.twoBytes;
      this.#bytes[this.#end++] = argument >> 8;
      this.#bytes[this.#end++] = argument;
    } else if (argument < 0x1_0000_0000) {
      this.#bytes[this.#end++] = first | Info.fourBytes;
      this.#view.setUint32(this.#end, argument);
      this.#end += 4;
    } else {
      this.longHead(major, BigInt(argument));
    }
  }

  /** A head whose argument needs all of its 64 bits. */
  longHead(major: number, argument: bigint): void {
    this.#reserve(MAX_HEAD_BYTES);
    this.#bytes[this.#end++] = (major << 5) | Info.eightBytes;
    this.#view.setBigUint64(this.#end, argument);
    this.#end += 8;
  }

  /** A floating-point number in the shortest of the three formats that keeps its value. */
  float(value: number): void {
    this.#reserve(MAX_HEAD_BYTES);
    if (!Object.is(Math.fround(value), value)) {
      this.#bytes[this.#end++] = Simple.float64;
      this.#view.setFloat64(this.#end, value);
      this.#end += 8;
      return;
    }
    const half = toHalfFloat(value);
    if (half === undefined) {
      this.#bytes[this.#end++] = Simple.float32;
      this.#view.setFloat32(this.#end, value);
      this.#end += 4;
    } else {
      this.#bytes[this.#end++] = Simple.float16;
      this.#view.setUint16(this.#end, half);
      this.#end += 2;
    }
  }

  /** The bytes of `bytes`, without a head. */
  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Well-formed text as UTF-8, with a head of type `major`. */
  text(major: number, text: string): void {
    if (text.length < Info.oneByte && this.#shortAscii(major, text)) return;
    const length = Buffer.byteLength(text);
    this.head(major, length);
    this.#reserve(length);
    this.#end += this.#buffer.write(text, this.#end, length, "utf8");
  }

  /** Faster than two native calls, for the commonest text there is: the name of a property. */
  #shortAscii(major: number, text: string): boolean {
    this.#reserve(1 + text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      this.#bytes[this.#end + 1 + i] = unit;
    }
    this.#bytes[this.#end] = (major << 5) | text.length;
    this.#end += 1 + text.length;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.#end + count;
    if (needed > this.#bytes.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    // A head is reserved at its longest, so the last one may need less than it seems.
    const most = this.#maxBytes + MAX_HEAD_BYTES;
    if (needed > most) throw new OutOfRoom();
    const bytes = new Uint8Array(Math.min(most, Math.max(needed, this.#bytes.length * 2)));
    bytes.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer);
    this.#view = new DataView(bytes.buffer);
  }
}
