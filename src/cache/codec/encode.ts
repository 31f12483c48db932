import { types } from "node:util";
import { describe } from "../checks.ts";
import { CodecError } from "../errors.ts";
import { ByteWriter, OutOfRoom } from "./byte-writer.ts";
import { type CheckedLimits, MAX_BIGNUM_BYTES } from "./limits.ts";
import { propertyStep, Unencodable } from "./unencodable.ts";
import { Major, Simple, Tag } from "./wire.ts";

/** The largest buffer that is kept for the next encoding. */
const KEPT_BYTES = 64 * 1024;

const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
const MAX_MAGNITUDE: bigint = (1n << BigInt(8 * MAX_BIGNUM_BYTES)) - 1n;

/** Encodes within limits. It keeps its buffer, not what it has encoded. */
export class Encoder {
  readonly #limits: CheckedLimits;
  readonly #deterministic: boolean;
  #idle: ByteWriter | undefined;

  constructor(limits: CheckedLimits, deterministic: boolean) {
    this.#limits = limits;
    this.#deterministic = deterministic;
  }

  encode(value: unknown): Uint8Array {
    // A getter may encode something itself: the buffer belongs to one encoding at a time.
    const writer = this.#idle ?? new ByteWriter(this.#limits.maxBytes);
    this.#idle = undefined;
    try {
      new Encoding(writer, this.#limits, this.#deterministic).value(value, 0);
      return writer.take();
    } catch (error) {
      throw this.#explain(error);
    } finally {
      writer.clear();
      if (writer.capacity <= KEPT_BYTES) this.#idle = writer;
    }
  }

  /** What a getter or a proxy threw stays as it is. */
  #explain(error: unknown): unknown {
    const operation = "encode";
    if (error instanceof OutOfRoom) {
      const problem = `the encoding is longer than maxBytes, ${this.#limits.maxBytes}`;
      return new CodecError(`encode: ${problem}`, { operation, code: "ERR_CODEC_TOO_LARGE" });
    }
    return error instanceof Unencodable ? new CodecError(`encode: ${error.message}`, { operation }) : error;
  }
}

/** One call of encode. Depth counts the containers around a value. */
class Encoding {
  readonly #writer: ByteWriter;
  readonly #limits: CheckedLimits;
  readonly #deterministic: boolean;

  constructor(writer: ByteWriter, limits: CheckedLimits, deterministic: boolean) {
    this.#writer = writer;
    this.#limits = limits;
    this.#deterministic = deterministic;
  }

  value(value: unknown, depth: number): void {
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "number":
        return this.#number(value);
      case "boolean":
        return this.#writer.byte(value ? Simple.true : Simple.false);
      case "object":
        return value === null ? this.#writer.byte(Simple.null) : this.#object(value, depth);
      case "undefined":
        return this.#writer.byte(Simple.undefined);
      case "bigint":
        return this.#bigint(value);
      default:
        throw new Unencodable(`is a ${typeof value}`);
    }
  }

  #text(text: string): void {
    if (!text.isWellFormed()) throw new Unencodable("has a lone surrogate and cannot be written as UTF-8");
    this.#writer.text(Major.text, text);
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return this.#writer.float(value);
    if (value >= 0) this.#writer.head(Major.unsigned, value);
    else this.#writer.head(Major.negative, -1 - value);
  }

  /**
   * A big integer in the range of safe integers is written as a bignum, although
   * an integer item would be shorter: that is how it stays a bigint. Beyond it,
   * where a number is always written as a float, the shortest form is used.
   */
  #bigint(value: bigint): void {
    const negative = value < 0n;
    const magnitude = negative ? -1n - value : value;
    const isSafe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    if (!isSafe && magnitude <= MAX_UINT64) {
      return this.#writer.longHead(negative ? Major.negative : Major.unsigned, magnitude);
    }
    if (magnitude > MAX_MAGNITUDE) throw new Unencodable(`is an integer of more than ${MAX_BIGNUM_BYTES} bytes`);
    this.#writer.head(Major.tag, negative ? Tag.negativeBignum : Tag.bignum);
    const hex = magnitude === 0n ? "" : magnitude.toString(16);
    this.#bytes(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex"));
  }

  #bytes(bytes: Uint8Array): void {
    this.#writer.head(Major.bytes, bytes.length);
    this.#writer.append(bytes);
  }

  #object(value: object, depth: number): void {
    if (isPlainObject(value)) return this.#plainObject(value, depth + 1);
    if (Array.isArray(value)) return this.#array(value, depth + 1);
    if (types.isUint8Array(value)) return this.#bytes(value);
    if (types.isDate(value)) return this.#date(value);
    if (types.isMap(value)) return this.#map(value, depth + 1);
    if (types.isSet(value)) return this.#set(value, depth + 1);
    throw new Unencodable(`is an instance of ${describe(value)}; turn it into plain data first`);
  }

  #date(date: Date): void {
    const ms = date.getTime();
    if (Number.isNaN(ms)) throw new Unencodable("is an invalid date");
    this.#writer.head(Major.tag, Tag.epochDate);
    this.#number(ms / 1000);
  }

  #plainObject(object: Record<string, unknown>, depth: number): void {
    const names = Object.keys(object);
    this.#open(object, Major.map, names.length, depth);
    const starts = this.#startSorting();
    for (const name of names) {
      starts?.push(this.#writer.length);
      try {
        if (name === "__proto__") throw new Unencodable("is a name that would change a prototype when read");
        this.#text(name);
        this.value(object[name], depth);
      } catch (error) {
        throw leaving(error, object, propertyStep(name));
      }
    }
    this.#sort(starts);
  }

  #array(array: readonly unknown[], depth: number): void {
    const { length } = array;
    this.#open(array, Major.array, length, depth);
    for (let i = 0; i < length; i++) {
      try {
        this.value(array[i], depth);
      } catch (error) {
        throw leaving(error, array, `[${i}]`);
      }
    }
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    const entries = [...map];
    this.#writer.head(Major.tag, Tag.map);
    this.#open(map, Major.map, entries.length, depth);
    const seen = new Set<string>();
    const starts = this.#startSorting();
    for (const [key, value] of entries) {
      starts?.push(this.#writer.length);
      try {
        this.#distinct(key, seen, depth);
      } catch (error) {
        throw leaving(error, map, `<key ${describe(key)}>`);
      }
      try {
        this.value(value, depth);
      } catch (error) {
        throw leaving(error, map, `.get(${describe(key)})`);
      }
    }
    this.#sort(starts);
  }

  #set(set: ReadonlySet<unknown>, depth: number): void {
    const members = [...set];
    this.#writer.head(Major.tag, Tag.set);
    this.#open(set, Major.array, members.length, depth);
    const seen = new Set<string>();
    const starts = this.#startSorting();
    for (const member of members) {
      starts?.push(this.#writer.length);
      try {
        this.#distinct(member, seen, depth);
      } catch (error) {
        throw leaving(error, set, `<member ${describe(member)}>`);
      }
    }
    this.#sort(starts);
  }

  /** The key of a map or the member of a set: two different objects may well be the same data. */
  #distinct(value: unknown, seen: Set<string>, depth: number): void {
    const start = this.#writer.length;
    this.value(value, depth);
    if (typeof value !== "object" || value === null) return;
    const encoding = this.#writer.latin1From(start);
    if (seen.has(encoding)) throw new Unencodable("is there twice: another object with the same content");
    seen.add(encoding);
  }

  /** Where the parts begin that are to be sorted, if they are. */
  #startSorting(): number[] | undefined {
    return this.#deterministic ? [] : undefined;
  }

  /** Keys differ and no item is the beginning of another, so the order of pairs is that of their keys. */
  #sort(starts: readonly number[] | undefined): void {
    if (starts) this.#writer.sort(starts);
  }

  #open(container: object, major: number, items: number, depth: number): void {
    if (depth > this.#limits.maxDepth) {
      throw new Unencodable(`is nested deeper than maxDepth, ${this.#limits.maxDepth}`, container);
    }
    if (items > this.#limits.maxItems) {
      throw new Unencodable(`has ${items} items; maxItems is ${this.#limits.maxItems}`);
    }
    this.#writer.head(major, items);
  }
}

/** Made by `{}` or `Object.create(null)`, in whatever realm. */
function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

function leaving(error: unknown, container: object, step: string): unknown {
  return error instanceof Unencodable ? error.leaving(container, step) : error;
}
