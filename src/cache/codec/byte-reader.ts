import { CodecError } from "../errors.ts";
import { NameCache } from "./name-cache.ts";
import { Info } from "./wire.ts";

const utf8: { decode(bytes: Uint8Array): string } = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The upper 32 bits of the largest safe integer. */
const MAX_SAFE_HIGH = 0x1f_ffff;

/** Up to this many bytes, ASCII is read faster without a native call. */
const SHORT_TEXT = 16;

/** The longest name that is looked up, and kept, in bytes. */
const LONGEST_NAME = 32;

const names: NameCache = new NameCache();

/** A position in bytes, with the primitives of the CBOR format. Nothing is read that is not there. */
export class ByteReader {
  readonly length: number;
  readonly #bytes: Uint8Array;
  #view: DataView | undefined;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // The slice of a Buffer would be a view of the caller's memory.
    this.#bytes = Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
    this.length = bytes.length;
  }

  /** The offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Checks that at least `count` bytes are left. */
  need(count: number): void {
    const left = this.length - this.#at;
    if (count > left) throw this.fault(`truncated: ${count} bytes must follow, ${left} are left`);
  }

  /** The next byte, without going past it. */
  peek(): number {
    this.need(1);
    return this.#bytes[this.#at] as number;
  }

  byte(): number {
    this.need(1);
    return this.#bytes[this.#at++] as number;
  }

  float16Bits(): number {
    return this.#numbers().getUint16(this.#pass(2));
  }

  float32(): number {
    return this.#numbers().getFloat32(this.#pass(4));
  }

  float64(): number {
    return this.#numbers().getFloat64(this.#pass(8));
  }

  /** The argument of a head whose first byte was read: a bigint where a number would not be exact. */
  argument(info: number): number | bigint {
    if (info < Info.oneByte) return info;
    switch (info) {
      case Info.oneByte:
        return this.byte();
      case Info.twoBytes:
        return this.#numbers().getUint16(this.#pass(2));
      case Info.fourBytes:
        return this.#numbers().getUint32(this.#pass(4));
      case Info.eightBytes: {
        const start = this.#pass(8);
        const high = this.#numbers().getUint32(start);
        if (high > MAX_SAFE_HIGH) return this.#numbers().getBigUint64(start);
        return high * 2 ** 32 + this.#numbers().getUint32(start + 4);
      }
      default:
        throw this.fault(`additional information ${info} has no meaning here`, this.#at - 1);
    }
  }

  /** A copy of the next `length` bytes. */
  copy(length: number): Uint8Array {
    const start = this.#pass(length);
    return this.#bytes.slice(start, this.#at);
  }

  /** The next `length` bytes as text. */
  text(length: number): string {
    const start = this.#pass(length);
    const ascii = length <= SHORT_TEXT ? this.#ascii(start) : undefined;
    if (ascii !== undefined) return ascii;
    try {
      return utf8.decode(this.#bytes.subarray(start, this.#at));
    } catch {
      throw this.fault("text that is not UTF-8", start);
    }
  }

  /** The next `length` bytes as the name of a property. */
  name(length: number): string {
    if (length > LONGEST_NAME) return this.text(length);
    const start = this.#at;
    const end = start + length;
    const known = names.get(this.#bytes, start, end);
    if (known === undefined) {
      const name = this.text(length);
      names.set(this.#bytes, start, end, name);
      return name;
    }
    this.#at = end;
    return known;
  }

  /** What was read from `start` on, as a string to compare with. */
  latin1From(start: number): string {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + start, this.#at - start).toString("latin1");
  }

  /** The error for what was found at `at`. */
  fault(problem: string, at: number = this.#at): CodecError {
    return new CodecError(`decode: ${problem} (at byte ${at})`, { operation: "decode" });
  }

  #ascii(start: number): string | undefined {
    let text = "";
    for (let i = start; i < this.#at; i++) {
      const unit = this.#bytes[i] as number;
      if (unit > 0x7f) return undefined;
      text += String.fromCharCode(unit);
    }
    return text;
  }

  /** Goes past `count` bytes; returns where they begin. */
  #pass(count: number): number {
    this.need(count);
    const start = this.#at;
    this.#at += count;
    return start;
  }

  #numbers(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.length);
    return this.#view;
  }
}
