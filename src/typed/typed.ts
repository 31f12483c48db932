import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe } from "../cache/checks.ts";
import { checkFunction, checkOptions } from "../cache/choices.ts";
import { type Cache, type CacheSource, resolveCache } from "../cache/contract.ts";
import { ConfigError, NotFoundError } from "../cache/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { Computer, type ErrorListener, type LoadContext } from "./compute.ts";
import { type ComputeOptions, computeSettings } from "./compute-options.ts";
import type { TypedKey } from "./define-key.ts";
import { repeatUntilUnopposed } from "./update.ts";
import { type Found, type Input, type Output, Values } from "./values.ts";
import { type WarmOptions, type WarmResult, warm } from "./warm.ts";

export interface TypedOptions {
  /**
   * Is told of errors that no caller gets to see: a computation that failed in the background or in whose
   * place an old value was served, a computed value that could not be stored, a stored one that was computed
   * again because it does not fit the schema. Must not throw. Default: they are forgotten.
   */
  readonly onError?: ErrorListener | undefined;
  /** Time, timers and randomness; for tests. */
  readonly clock?: Clock | undefined;
}

/** Computes the value of a key; `undefined`: there is none. */
export type LoadValue<Parameters, Schema extends StandardSchemaV1> = (
  parameters: Parameters,
  context: LoadContext,
) => Input<Schema> | undefined | Promise<Input<Schema> | undefined>;

/** The outcome of {@link TypedCache.getOrSet}. */
export interface GetOrSetValue<Schema extends StandardSchemaV1> {
  /** What the key holds now: the value given if `wasSet`, otherwise the one that was there. */
  readonly value: Output<Schema>;
  readonly wasSet: boolean;
}

/**
 * A cache as its users see it through one key definition; made by {@link typed}.
 *
 * Every operation rejects with what the cache rejects with, and with a
 * `ValidationError` when a value, given or stored, does not fit the schema.
 */
export class TypedCache<Parameters, Schema extends StandardSchemaV1> {
  readonly #source: CacheSource;
  readonly #key: TypedKey<Parameters, Schema>;
  readonly #clock: Clock;
  readonly #values: Values<Schema>;
  readonly #computer: Computer<Schema>;

  constructor(source: CacheSource, key: TypedKey<Parameters, Schema>, options: TypedOptions = {}) {
    checkOptions(options, "typed");
    const { clock = systemClock, onError = () => {} } = options;
    checkFunction(onError, "onError");
    if (typeof key?.keyFor !== "function")
      throw new ConfigError(`typed takes what defineKey gives, not ${describe(key)}`);
    this.#source = source;
    this.#key = key;
    this.#clock = clock;
    this.#values = new Values(key, clock);
    this.#computer = new Computer(key, this.#values, clock, onError);
  }

  /** The value, or `undefined`. */
  async get(parameters: Parameters): Promise<Output<Schema> | undefined> {
    const { cache, key } = await this.#at(parameters);
    return (await this.#values.read(cache, key))?.value;
  }

  /** The value. @throws NotFoundError when there is none */
  async require(parameters: Parameters): Promise<Output<Schema>> {
    const value = await this.get(parameters);
    if (value !== undefined) return value;
    const key = this.#key.keyFor(parameters);
    throw new NotFoundError(`"${key}" was not found`, { key, operation: "require" });
  }

  /** Stores a value, whatever was there. */
  async set(parameters: Parameters, value: Input<Schema>): Promise<void> {
    const { cache, key } = await this.#at(parameters);
    await this.#values.check(value, key);
    await cache.set(key, this.#values.encode(value, key), this.#values.ttlMs());
  }

  /** Stores a value if there is none. The TTL of an existing one is not touched. */
  async getOrSet(parameters: Parameters, value: Input<Schema>): Promise<GetOrSetValue<Schema>> {
    const { cache, key } = await this.#at(parameters);
    const output = await this.#values.check(value, key);
    const bytes = this.#values.encode(value, key);
    return repeatUntilUnopposed<GetOrSetValue<Schema>>(cache, key, this.#clock, async () => {
      const there = await cache.getOrSet(key, bytes, this.#values.ttlMs());
      if (there.wasSet) return { result: { value: output, wasSet: true } };
      const found = await this.#values.decode(there.value, key);
      if (found.value !== undefined) return { result: { value: found.value, wasSet: false } };
      // The key holds the knowledge that there is no value, which is out of date now.
      const replaced = await cache.compareAndSet(key, found.bytes, bytes, this.#values.ttlMs());
      return replaced ? { result: { value: output, wasSet: true } } : undefined;
    });
  }

  /** Removes what the key holds; resolves to whether it held something. */
  async delete(parameters: Parameters): Promise<boolean> {
    const { cache, key } = await this.#at(parameters);
    return cache.delete(key);
  }

  /**
   * Reads, changes and writes the value, again if somebody else changed it meanwhile, so that no change is
   * lost. Calls of this process that were not the first try again one after the other. The TTL starts anew.
   *
   * @param change gets the value, or `undefined`, and gives the next one; `undefined` deletes it. It may be
   *   called several times, so it should do nothing else
   * @returns what the key holds now
   * @throws CasFailedError after 25 attempts
   */
  async update(
    parameters: Parameters,
    change: (old: Output<Schema> | undefined) => Input<Schema> | undefined | Promise<Input<Schema> | undefined>,
  ): Promise<Output<Schema> | undefined> {
    checkFunction(change, "the change of update");
    const { cache, key } = await this.#at(parameters);
    return repeatUntilUnopposed(cache, key, this.#clock, async () => {
      const found = await this.#values.read(cache, key);
      const next = await change(found?.value);
      const result = next === undefined ? undefined : await this.#values.check(next, key);
      return (await this.#swap(cache, key, found, next)) ? { result } : undefined;
    });
  }

  /**
   * The value, computed by `load` if the store has none that is fresh: once, however many callers in however
   * many processes ask for it at the same time. What `load` gives is stored, unless somebody has written the
   * key meanwhile. Callers share the computation, not the value: each gets its own copy.
   *
   * @throws what `load` throws, to all who waited for it in this process, unless an old value may be served
   *   (`graceMs`). A failure is not stored: the next process in line computes
   * @throws ComputeTimeoutError when somebody else was computing for longer than `waitMs`
   */
  async getOrCompute(
    parameters: Parameters,
    load: LoadValue<Parameters, Schema>,
    options: ComputeOptions = {},
  ): Promise<Output<Schema> | undefined> {
    checkFunction(load, "the load of getOrCompute");
    const { cache, key } = await this.#at(parameters);
    return this.#computer.get(cache, key, (context) => load(parameters, context), options);
  }

  /** Sees to it that many keys have a fresh value, by {@link getOrCompute}, a few at a time. */
  async warm(
    all: Iterable<Parameters> | AsyncIterable<Parameters>,
    load: LoadValue<Parameters, Schema>,
    options: WarmOptions = {},
  ): Promise<WarmResult<Parameters>> {
    checkFunction(load, "the load of warm");
    computeSettings(options, "warm");
    return warm(all, (parameters) => this.getOrCompute(parameters, load, options), options);
  }

  async #at(parameters: Parameters): Promise<{ cache: Cache; key: string }> {
    const key = this.#key.keyFor(parameters);
    return { cache: await resolveCache(this.#source), key };
  }

  async #swap(
    cache: Cache,
    key: string,
    found: Found<Schema> | undefined,
    next: Input<Schema> | undefined,
  ): Promise<boolean> {
    if (next !== undefined) {
      return cache.compareAndSet(key, found?.bytes ?? null, this.#values.encode(next, key), this.#values.ttlMs());
    }
    return found === undefined || cache.compareAndSet(key, found.bytes, null);
  }
}

/**
 * Reads and writes the values of one key definition.
 *
 * ```ts
 * const user = defineKey("user:{id}", { ttlMs: 60_000, schema: UserSchema });
 * const users = typed(hold.cache, user);
 * await users.getOrCompute({ id: "42" }, ({ id }) => database.findUser(id));
 * ```
 *
 * @param source the cache, or a function that finds the cache of each call, such as a tenant's
 * @throws ConfigError when the key or an option is wrong
 */
export function typed<Parameters, Schema extends StandardSchemaV1>(
  source: CacheSource,
  key: TypedKey<Parameters, Schema>,
  options?: TypedOptions,
): TypedCache<Parameters, Schema> {
  return new TypedCache(source, key, options);
}
