/**
 * One computation across all processes.
 *
 *            0              ttlMs          + staleMs        + graceMs
 *     stored ├─── fresh ──────┼──── stale ─────┼──── old ───────┤ gone
 *            served           served, and one  computed again;  computed
 *                             process computes served only if
 *                             it again         that fails
 *
 * `staleMs` and `graceMs` both count from the end of the fresh time. Who computes
 * holds a lease on the key; the others wait for it and then find the value. If
 * that process dies its lease expires, and the next in line computes.
 */

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Cache } from "../cache/contract.ts";
import { isStoreFault } from "../cache/errors.ts";
import { leaseKeys } from "../primitives/lease/names.ts";
import { takeLock } from "../primitives/lock/acquire-lock.ts";
import { LockTimeoutError } from "../primitives/lock/errors.ts";
import type { Lock } from "../primitives/lock/lock.ts";
import { lockSettings } from "../primitives/lock/options.ts";
import type { Clock } from "../runtime/clock.ts";
import { waitFor } from "../runtime/wait-for.ts";
import { type ComputeOptions, type ComputeSettings, computeSettings } from "./compute-options.ts";
import type { TypedKey } from "./define-key.ts";
import { ComputeTimeoutError } from "./errors.ts";
import type { Found, Input, Output, Values } from "./values.ts";

export interface LoadContext {
  /** Aborts when somebody else may have begun to compute the same value. The result is then of no use to others. */
  readonly signal: AbortSignal;
}

/** Is told of errors that no caller gets to see. Must not throw. */
export type ErrorListener = (error: unknown, key: string) => void;

/** After a computation failed and an old value was served, the next one is not tried before this time. */
const RETRY_AFTER_MS = 1_000;

export type Load<Schema extends StandardSchemaV1> = (
  context: LoadContext,
) => Input<Schema> | undefined | Promise<Input<Schema> | undefined>;

interface Job<Schema extends StandardSchemaV1> extends ComputeSettings {
  readonly cache: Cache;
  readonly key: string;
  readonly load: Load<Schema>;
}

/** What the store holds under the key; `found` is missing if that is no usable value. */
interface Seen<Schema extends StandardSchemaV1> {
  readonly bytes: Uint8Array | null;
  readonly found?: Found<Schema>;
}

/** What a computation gave. */
interface Computed<Schema extends StandardSchemaV1> {
  readonly value: Output<Schema> | undefined;
  /** As it was stored, for those who get a copy; `null` if there is no value. */
  readonly bytes: Uint8Array | null;
}

export class Computer<Schema extends StandardSchemaV1> {
  readonly #definition: TypedKey<never, Schema>;
  readonly #values: Values<Schema>;
  readonly #clock: Clock;
  readonly #onError: ErrorListener;
  /** Computations that callers of this process wait for, by cache and key. */
  readonly #flights = new WeakMap<Cache, Map<string, Promise<Computed<Schema>>>>();
  /** Keys that this process computes again in the background. */
  readonly #refreshing = new WeakMap<Cache, Set<string>>();

  constructor(definition: TypedKey<never, Schema>, values: Values<Schema>, clock: Clock, onError: ErrorListener) {
    this.#definition = definition;
    this.#values = values;
    this.#clock = clock;
    this.#onError = onError;
  }

  async get(
    cache: Cache,
    key: string,
    load: Load<Schema>,
    options: ComputeOptions,
  ): Promise<Output<Schema> | undefined> {
    const job: Job<Schema> = { cache, key, load, ...computeSettings(options, "getOrCompute") };
    job.signal?.throwIfAborted();
    const { found } = await this.#look(job);
    if (found && this.#isFresh(found)) return found.value;
    if (found && this.#ageMs(found) < job.staleMs) {
      void this.#refresh(job);
      return found.value;
    }
    try {
      return await this.#join(job, found);
    } catch (error) {
      if (job.signal?.aborted || !found || this.#ageMs(found) >= job.graceMs) throw error;
      return found.value;
    }
  }

  /** Waits for the computation of this process, which is started if there is none. Each caller gets its own value. */
  async #join(job: Job<Schema>, found: Found<Schema> | undefined): Promise<Output<Schema> | undefined> {
    const { key, signal, waitMs } = job;
    const flights = memo(this.#flights, job.cache, () => new Map<string, Promise<Computed<Schema>>>());
    const underWay = flights.get(key);
    if (underWay !== undefined) {
      const timedOut = (): Error => timeout(job, undefined);
      const { bytes } = await waitFor(this.#clock, underWay, { signal, limitMs: waitMs, timedOut });
      return bytes === null ? undefined : (await this.#values.decode(bytes, key)).value;
    }
    const flight = this.#computeInTurn(job, found).finally(() => flights.delete(key));
    flights.set(key, flight);
    return (await waitFor(this.#clock, flight, { signal })).value;
  }

  async #computeInTurn(job: Job<Schema>, found: Found<Schema> | undefined): Promise<Computed<Schema>> {
    try {
      return await this.#underLease(job, job.waitMs);
    } catch (error) {
      // An old value will be served in its place, so nobody else will tell of it.
      if (found && this.#ageMs(found) < job.graceMs) this.#onError(error, job.key);
      throw error;
    }
  }

  /** Computes in the background, unless somebody does already. Never rejects. */
  async #refresh(job: Job<Schema>): Promise<void> {
    const refreshing = memo(this.#refreshing, job.cache, () => new Set<string>());
    if (refreshing.has(job.key)) return;
    refreshing.add(job.key);
    try {
      await this.#underLease(job, 0);
    } catch (error) {
      if (!(error instanceof ComputeTimeoutError)) this.#onError(error, job.key);
    } finally {
      refreshing.delete(job.key);
    }
  }

  /** Computes when it is this process's turn; by then another one may have done it. */
  async #underLease(job: Job<Schema>, waitMs: number): Promise<Computed<Schema>> {
    const lock = await this.#takeLease(job, waitMs);
    try {
      const seen = await this.#look(job);
      if (seen.found && this.#isFresh(seen.found)) return seen.found;
      return await this.#compute(job, seen, lock);
    } finally {
      await lock.release();
    }
  }

  async #takeLease(job: Job<Schema>, waitMs: number): Promise<Lock> {
    const settings = lockSettings({
      ttlMs: job.leaseTtlMs,
      waitMs,
      fencing: false,
      clock: this.#clock,
      // The caller may hold a lock of this name, which is another lease.
      nested: "wait",
    });
    try {
      return await takeLock(job.cache, leaseKeys("compute", job.key), settings);
    } catch (error) {
      throw error instanceof LockTimeoutError ? timeout(job, error) : error;
    }
  }

  async #compute(job: Job<Schema>, seen: Seen<Schema>, lock: Lock): Promise<Computed<Schema>> {
    try {
      const value = await job.load({ signal: lock.signal });
      const output = value === undefined ? undefined : await this.#values.check(value, job.key);
      return { value: output, bytes: await this.#store(job, seen, value) };
    } catch (error) {
      if (seen.found) await this.#postpone(job, seen.found);
      throw error;
    }
  }

  /** A value that cannot be stored is of use all the same: to those who wait for it. */
  async #store(job: Job<Schema>, seen: Seen<Schema>, value: Input<Schema> | undefined): Promise<Uint8Array | null> {
    const baseMs = value === undefined ? job.absentTtlMs : this.#definition.ttlMs;
    if (baseMs === 0) {
      if (seen.bytes !== null) await this.#replace(job, seen.bytes, null);
      return null;
    }
    const freshMs = this.#values.ttlMs(baseMs);
    const bytes = this.#values.encodeComputed({ value, freshUntilMs: this.#clock.wallMs() + freshMs }, job.key);
    const keptMs = freshMs + Math.max(job.staleMs, job.graceMs);
    await this.#replace(job, seen.bytes, bytes, keptMs);
    return bytes;
  }

  /** Keeps others from repeating at once what has just failed, as long as there is an old value to serve. */
  async #postpone(job: Job<Schema>, found: Found<Schema>): Promise<void> {
    const leftMs = Math.max(job.staleMs, job.graceMs) - this.#ageMs(found);
    if (leftMs <= 0) return;
    const entry = { ...found.entry, retryAtMs: this.#clock.wallMs() + RETRY_AFTER_MS };
    await this.#replace(job, found.bytes, this.#values.encodeComputed(entry, job.key), leftMs);
  }

  /** Writes, unless somebody else has since `from` was read: a `set` during a computation is newer than its result. */
  async #replace(job: Job<Schema>, from: Uint8Array | null, to: Uint8Array | null, ttlMs?: number): Promise<void> {
    try {
      await job.cache.compareAndSet(job.key, from, to, ttlMs);
    } catch (error) {
      if (!isStoreFault(error)) throw error;
      this.#onError(error, job.key);
    }
  }

  /** What does not fit the schema, since that was changed perhaps, is computed again. */
  async #look({ cache, key }: Job<Schema>): Promise<Seen<Schema>> {
    const bytes = await cache.get(key);
    if (bytes === undefined) return { bytes: null };
    try {
      return { bytes, found: await this.#values.decode(bytes, key) };
    } catch (error) {
      this.#onError(error, key);
      return { bytes };
    }
  }

  #isFresh({ entry }: Found<Schema>): boolean {
    const nowMs = this.#clock.wallMs();
    return nowMs < entry.freshUntilMs || nowMs < (entry.retryAtMs ?? 0);
  }

  /** Milliseconds since the end of the fresh time. */
  #ageMs({ entry }: Found<Schema>): number {
    return this.#clock.wallMs() - entry.freshUntilMs;
  }
}

function timeout<Schema extends StandardSchemaV1>(job: Job<Schema>, cause: Error | undefined): ComputeTimeoutError {
  const why = cause === undefined ? "" : ` (${cause.message})`;
  return new ComputeTimeoutError(
    `getOrCompute "${job.key}": somebody else was computing it for longer than ${job.waitMs} ms${why}`,
    { key: job.key, operation: "getOrCompute", cause },
  );
}

function memo<T>(byCache: WeakMap<Cache, T>, cache: Cache, make: () => T): T {
  const known = byCache.get(cache);
  if (known !== undefined) return known;
  const made = make();
  byCache.set(cache, made);
  return made;
}
