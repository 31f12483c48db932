import { types } from "node:util";
import { describe } from "../checks.ts";
import { CodecError } from "../errors.ts";
import { ByteReader } from "./byte-reader.ts";
import { dateFromSeconds, dateFromText } from "./dates.ts";
import { fromHalfFloat } from "./half-float.ts";
import { type CheckedLimits, MAX_BIGNUM_BYTES } from "./limits.ts";
import { Info, Major, Simple, Tag } from "./wire.ts";

/** The number of items in a container that ends with a break. */
const UNTIL_BREAK: number = Number.POSITIVE_INFINITY;

/** The value of the one item that `bytes` holds, within `limits`. */
export function decode(bytes: unknown, limits: CheckedLimits): unknown {
  if (types.isUint8Array(bytes)) return new Decoding(new ByteReader(bytes), limits).whole();
  throw new CodecError(`decode: only a Uint8Array can be decoded, not ${describe(bytes)}`, { operation: "decode" });
}

/**
 * One call of decode: a walk over the bytes with a method for each kind of item.
 *
 * It is recursive, and `maxDepth` makes that safe: `#enter` is the only way into
 * a container, and each tag that is understood names the kind of item that must
 * follow it, so that tags cannot nest by themselves.
 */
class Decoding {
  readonly #reader: ByteReader;
  readonly #limits: CheckedLimits;
  #depth = 0;

  constructor(reader: ByteReader, limits: CheckedLimits) {
    this.#reader = reader;
    this.#limits = limits;
  }

  whole(): unknown {
    const reader = this.#reader;
    const { maxBytes } = this.#limits;
    if (reader.length > maxBytes) throw reader.fault(`${reader.length} bytes; maxBytes is ${maxBytes}`);
    const value = this.#item();
    if (reader.at < reader.length) throw reader.fault("more bytes after the end of the item");
    return value;
  }

  #item(): unknown {
    const first = this.#reader.byte();
    const info = first & 0x1f;
    switch (first >> 5) {
      case Major.unsigned:
        return this.#reader.argument(info);
      case Major.negative:
        return this.#negative(info);
      case Major.bytes:
        return this.#bytes(info);
      case Major.text:
        return this.#text(info);
      case Major.array:
        return this.#array(info);
      case Major.map:
        return this.#map(info);
      case Major.tag:
        return this.#tagged(info);
      default:
        return this.#simple(first);
    }
  }

  #negative(info: number): number | bigint {
    const argument = this.#reader.argument(info);
    return argument < Number.MAX_SAFE_INTEGER ? -1 - Number(argument) : -1n - BigInt(argument);
  }

  #simple(first: number): unknown {
    const reader = this.#reader;
    switch (first) {
      case Simple.false:
        return false;
      case Simple.true:
        return true;
      case Simple.null:
        return null;
      case Simple.undefined:
        return undefined;
      case Simple.float16:
        return fromHalfFloat(reader.float16Bits());
      case Simple.float32:
        return reader.float32();
      case Simple.float64:
        return reader.float64();
      case Simple.break:
        throw reader.fault("a break that ends nothing", reader.at - 1);
      default:
        throw reader.fault("a simple value that RFC 8949 does not assign", reader.at - 1);
    }
  }

  #bytes(info: number): Uint8Array {
    if (info !== Info.indefinite) return this.#reader.copy(this.#length(info));
    return new Uint8Array(Buffer.concat(this.#chunks(Major.bytes, (length) => this.#reader.copy(length))));
  }

  #name(): string {
    const info = this.#expect(Major.text);
    return info === Info.indefinite ? this.#text(info) : this.#reader.name(this.#length(info));
  }

  #text(info: number): string {
    if (info !== Info.indefinite) return this.#reader.text(this.#length(info));
    return this.#chunks(Major.text, (length) => this.#reader.text(length)).join("");
  }

  /** The parts of a string of indefinite length: strings of the same type and of definite length. */
  #chunks<T>(major: number, read: (length: number) => T): T[] {
    const chunks: T[] = [];
    while (this.#hasNext(chunks.length, UNTIL_BREAK)) chunks.push(read(this.#length(this.#expect(major))));
    return chunks;
  }

  /** The length of a string; more than is left is refused here. */
  #length(info: number): number {
    const length = Number(this.#reader.argument(info));
    this.#reader.need(length);
    return length;
  }

  #array(info: number): unknown[] {
    const count = this.#enter(info, 1);
    const array: unknown[] = [];
    while (this.#hasNext(array.length, count)) array.push(this.#item());
    this.#depth--;
    return array;
  }

  #set(info: number): Set<unknown> {
    const count = this.#enter(info, 1);
    const set = new Set<unknown>();
    const encodings = new Set<string>();
    while (this.#hasNext(set.size, count)) set.add(this.#distinct(set, encodings));
    this.#depth--;
    return set;
  }

  /** An untagged map: an object as long as every key is text, otherwise a `Map`. */
  #map(info: number): Record<string, unknown> | Map<unknown, unknown> {
    const start = this.#reader.at - 1;
    const count = this.#enter(info, 2);
    const object: Record<string, unknown> = {};
    for (let read = 0; this.#hasNext(read, count); read++) {
      if (this.#reader.peek() >> 5 !== Major.text) {
        const map = this.#pairs(new Map(Object.entries(object)), count);
        if (map.has("__proto__")) throw this.#prototypeKey(start);
        return map;
      }
      this.#property(object);
    }
    this.#depth--;
    return object;
  }

  #property(object: Record<string, unknown>): void {
    const start = this.#reader.at;
    const name = this.#name();
    if (!(name in object)) {
      object[name] = this.#item();
      return;
    }
    if (name === "__proto__") throw this.#prototypeKey(start);
    if (Object.hasOwn(object, name)) throw this.#duplicate(name, start);
    // "constructor" and its like: to assign them fails where Object.prototype is frozen.
    const value = this.#item();
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  }

  /** Adds what is left of an entered map of `count` pairs to those that `map` has. */
  #pairs(map: Map<unknown, unknown>, count: number): Map<unknown, unknown> {
    const encodings = new Set<string>();
    while (this.#hasNext(map.size, count)) {
      const key = this.#distinct(map, encodings);
      map.set(key, this.#item());
    }
    this.#depth--;
    return map;
  }

  /** A key or member that is new: by its value, or by its encoding if it is an object. */
  #distinct(known: { has(value: unknown): boolean }, encodings: Set<string>): unknown {
    const start = this.#reader.at;
    const value = this.#item();
    if (typeof value !== "object" || value === null) {
      if (known.has(value)) throw this.#duplicate(value, start);
      return value;
    }
    const encoding = this.#reader.latin1From(start);
    if (encodings.has(encoding)) throw this.#duplicate(value, start);
    encodings.add(encoding);
    return value;
  }

  #tagged(info: number): unknown {
    const start = this.#reader.at - 1;
    const tag = this.#reader.argument(info);
    switch (tag) {
      case Tag.dateText:
        return this.#date(dateFromText(this.#text(this.#expect(Major.text))), start);
      case Tag.epochDate:
        return this.#date(dateFromSeconds(this.#seconds()), start);
      case Tag.bignum:
        return this.#magnitude();
      case Tag.negativeBignum:
        return -1n - this.#magnitude();
      case Tag.set:
        return this.#set(this.#expect(Major.array));
      case Tag.map:
        return this.#pairs(new Map(), this.#enter(this.#expect(Major.map), 2));
      case Tag.selfDescribed:
        if (start === 0) return this.#item();
    }
    throw this.#reader.fault(`tag ${tag} is not supported here`, start);
  }

  #seconds(): number {
    const major = this.#reader.peek() >> 5;
    if (major !== Major.unsigned && major !== Major.negative && major !== Major.simple) return Number.NaN;
    const seconds = this.#item();
    return typeof seconds === "number" ? seconds : Number.NaN;
  }

  #date(date: Date | undefined, start: number): Date {
    if (date === undefined) throw this.#reader.fault("a date that does not exist", start);
    return date;
  }

  #magnitude(): bigint {
    const start = this.#reader.at;
    const { length, buffer } = this.#bytes(this.#expect(Major.bytes));
    if (length <= MAX_BIGNUM_BYTES) return length === 0 ? 0n : BigInt(`0x${Buffer.from(buffer).toString("hex")}`);
    throw this.#reader.fault(`an integer of more than ${MAX_BIGNUM_BYTES} bytes`, start);
  }

  /** The next first byte, which must be of type `major`; returns the rest of it. */
  #expect(major: number): number {
    const first = this.#reader.peek();
    if (first >> 5 !== major) throw this.#reader.fault(`major type ${first >> 5} where only ${major} is allowed`);
    return this.#reader.byte() & 0x1f;
  }

  /** Goes into a container; returns its number of items, each of which takes at least `itemBytes`. */
  #enter(info: number, itemBytes: number): number {
    const start = this.#reader.at - 1;
    const { maxDepth, maxItems } = this.#limits;
    this.#depth++;
    if (this.#depth > maxDepth) throw this.#reader.fault(`nested deeper than maxDepth, ${maxDepth}`, start);
    if (info === Info.indefinite) return UNTIL_BREAK;
    const count = Number(this.#reader.argument(info));
    if (count > maxItems) throw this.#reader.fault(`a container of ${count} items; maxItems is ${maxItems}`, start);
    this.#reader.need(count * itemBytes);
    return count;
  }

  /** Whether another item comes after the first `read` of `count`. Takes the break that says no. */
  #hasNext(read: number, count: number): boolean {
    if (count !== UNTIL_BREAK) return read < count;
    if (this.#reader.peek() === Simple.break) {
      this.#reader.byte();
      return false;
    }
    const { maxItems } = this.#limits;
    if (read >= maxItems) throw this.#reader.fault(`a container of more items than maxItems, ${maxItems}`);
    return true;
  }

  #prototypeKey(at: number): CodecError {
    return this.#reader.fault("the key __proto__, which could change a prototype", at);
  }

  #duplicate(value: unknown, at: number): CodecError {
    return this.#reader.fault(`duplicate key or member ${describe(value)}`, at);
  }
}
