import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Cache } from "../cache/contract.ts";
import { CodecError, OperationError } from "../cache/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { TypedKey } from "./define-key.ts";
import { decodeEntry, type Entry, encodeComputed } from "./entry.ts";
import { validate } from "./schema.ts";

/** What is read from a key, by its schema. */
export type Output<Schema extends StandardSchemaV1> = StandardSchemaV1.InferOutput<Schema>;
/** What may be written to a key, by its schema. */
export type Input<Schema extends StandardSchemaV1> = StandardSchemaV1.InferInput<Schema>;

/** What a key holds now. */
export interface Found<Schema extends StandardSchemaV1> {
  /** `undefined`: the absence of a value is what was stored. */
  readonly value: Output<Schema> | undefined;
  /** As it was stored, before the schema made `value` of it. */
  readonly entry: Entry;
  /** As the store has it, for a compare-and-set. */
  readonly bytes: Uint8Array;
}

/** Values between a cache and its user: checked, encoded, decoded, and given a TTL. */
export class Values<Schema extends StandardSchemaV1> {
  readonly #key: TypedKey<never, Schema>;
  readonly #clock: Clock;

  constructor(key: TypedKey<never, Schema>, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /**
   * Reads what the key holds; `undefined`: nothing.
   *
   * @throws CodecError, ValidationError for what it should not hold
   */
  async read(cache: Cache, key: string): Promise<Found<Schema> | undefined> {
    const bytes = await cache.get(key);
    return bytes === undefined ? undefined : this.decode(bytes, key);
  }

  /** @throws CodecError, ValidationError */
  async decode(bytes: Uint8Array, key: string): Promise<Found<Schema>> {
    const entry = naming("read", key, () => decodeEntry(bytes, this.#key.codec));
    if (entry.value === undefined) return { value: undefined, entry, bytes };
    return { value: await validate(this.#key.schema, entry.value, key, "read"), entry, bytes };
  }

  /**
   * Checks a value that is to be written.
   *
   * @returns what a reader of it will get
   * @throws ValidationError, OperationError
   */
  async check(value: Input<Schema>, key: string): Promise<Output<Schema>> {
    if (value === undefined) {
      throw new OperationError(`write "${key}": undefined stands for "no value" and cannot be stored; use delete`, {
        code: "ERR_INVALID_VALUE",
        key,
      });
    }
    return validate(this.#key.schema, value, key, "write");
  }

  /** @throws CodecError when it has no encoding */
  encode(value: Input<Schema>, key: string): Uint8Array {
    return naming("write", key, () => this.#key.codec.encode(value));
  }

  /** What was computed. @throws CodecError when it has no encoding */
  encodeComputed(entry: Entry, key: string): Uint8Array {
    return naming("write", key, () => encodeComputed(entry, this.#key.codec));
  }

  /** The TTL of a value that is written now. */
  ttlMs(baseMs: number = this.#key.ttlMs): number {
    return baseMs * (1 - this.#key.ttlJitter * this.#clock.random());
  }
}

/** A codec does not know of which key its bytes are. */
function naming<T>(operation: "read" | "write", key: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const { code, message } = error;
    throw new CodecError(`${operation} "${key}": ${message}`, { code, key, operation, cause: error });
  }
}
