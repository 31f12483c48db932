import { describe } from "../cache/checks.ts";
import { checkFunction, checkOneOf, checkOptions } from "../cache/choices.ts";
import type { CacheOperation } from "../cache/contract.ts";
import { checkWait } from "../cache/durations.ts";
import { ConfigError, OperationError } from "../cache/errors.ts";
import { type Clock, sleep } from "../runtime/clock.ts";

/**
 * What happens to a call. "Executed" means: by the cache underneath.
 *
 * | fault | executed | the caller |
 * |---|---|---|
 * | `delay` | once, after `delayMs` | gets the result |
 * | `error` | never | gets `error` (default: `OperationError`, `ERR_OPERATION`) |
 * | `lost-request` | never | gets an `OperationError`, `ERR_CACHE_TIMEOUT` |
 * | `lost-reply` | once, at once | gets an `OperationError`, `ERR_CACHE_TIMEOUT` |
 * | `duplicate` | twice: at once, and after `delayMs` | gets the second result, as when a client re-sends |
 * | `hang` | once, when released | waits until then for the result |
 * | `hang-reply` | once, at once | waits for the result until released |
 * | `mute` | once, at once | gets the result; a `watch` never calls |
 *
 * `delayMs` (default 0) is how long the caller waits for its error, too.
 */
export type Fault =
  | { readonly fault: "delay"; readonly delayMs: number }
  | { readonly fault: "error"; readonly error?: unknown; readonly delayMs?: number | undefined }
  | { readonly fault: "lost-request" | "lost-reply" | "duplicate"; readonly delayMs?: number | undefined }
  | { readonly fault: "hang" | "hang-reply" | "mute" };

type FaultName = Fault["fault"];

const FAULTS: readonly FaultName[] = [
  "delay",
  "error",
  "lost-request",
  "lost-reply",
  "duplicate",
  "hang",
  "hang-reply",
  "mute",
];
const OPERATIONS: readonly CacheOperation[] = ["get", "set", "delete", "getOrSet", "compareAndSet", "watch", "health"];

/** A fault that is misspelt would hit nothing, or do nothing. Throws a `ConfigError`. */
function checkFault(fault: Fault & FaultSchedule): void {
  checkOptions(fault, "inject");
  checkOneOf<FaultName>(fault.fault, "fault", FAULTS);
  if (fault.operation !== undefined) checkOneOf(fault.operation, "operation", OPERATIONS);
  if (fault.key !== undefined && typeof fault.key !== "string")
    checkFunction(fault.key, "key", "a string or a function");
  const { skip = 0, times = 0, delayMs = 0 }: FaultSchedule & { readonly delayMs?: number | undefined } = fault;
  checkWait(delayMs, "delayMs");
  checkCount(skip, "skip");
  checkCount(times, "times");
}

function checkCount(value: number, option: string): void {
  if (value >= 0 && (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)) return;
  throw new ConfigError(`${option} is ${describe(value)}; it must be a number of calls, 0 or more, or Infinity`);
}

/** Which calls are meant; what is left out does not matter. */
export interface CallFilter {
  readonly operation?: CacheOperation | undefined;
  /** The key itself, or a function that knows it. A call without a key (`health`) matches neither. */
  readonly key?: string | ((key: string) => boolean) | undefined;
}

/** Which of the calls that match are hit. */
export interface FaultSchedule extends CallFilter {
  /** How many calls pass before the first is hit. Default 0. */
  readonly skip?: number | undefined;
  /** How many are hit. Default `Infinity`; 3 is "fail three times, then work". */
  readonly times?: number | undefined;
}

/** One call of a cache; `key` is undefined for `health`. */
export interface CacheCall {
  readonly operation: CacheOperation;
  readonly key: string | undefined;
}

/** A fault that was injected. */
export interface Injection {
  /** How many calls were hit. */
  readonly hits: number;
  /** No further call is hit; those that hang go on hanging. */
  stop(): void;
  /** Lets every call that hangs go on, and stops. */
  release(): void;
}

export class ActiveFault implements Injection {
  hits = 0;
  readonly #fault: Fault & FaultSchedule;
  readonly #clock: Clock;
  #skipped = 0;
  #stopped = false;
  #open: () => void = () => {};
  readonly #released: Promise<void>;

  constructor(fault: Fault & FaultSchedule, clock: Clock) {
    checkFault(fault);
    this.#fault = fault;
    this.#clock = clock;
    this.#released = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  release(): void {
    this.stop();
    this.#open();
  }

  get mutes(): boolean {
    return this.#fault.fault === "mute";
  }

  /** Whether this call is hit; counts it. */
  hit(call: CacheCall): boolean {
    const { skip = 0, times = Number.POSITIVE_INFINITY } = this.#fault;
    if (this.#stopped || this.hits >= times || !matches(call, this.#fault)) return false;
    if (this.#skipped < skip) {
      this.#skipped += 1;
      return false;
    }
    this.hits += 1;
    return true;
  }

  /** Makes the call with this fault. */
  async apply<T>(call: CacheCall, execute: () => Promise<T>): Promise<T> {
    const fault = this.#fault;
    switch (fault.fault) {
      case "delay":
        await this.#wait(fault.delayMs);
        return execute();
      case "error":
        await this.#wait(fault.delayMs);
        throw fault.error ?? failure(call, "failed, as injected", "ERR_OPERATION");
      case "lost-request":
        await this.#wait(fault.delayMs);
        throw failure(call, "timed out; the request was lost, as injected", "ERR_CACHE_TIMEOUT");
      case "lost-reply":
        await execute();
        await this.#wait(fault.delayMs);
        throw failure(call, "timed out; the reply was lost, as injected", "ERR_CACHE_TIMEOUT");
      case "duplicate":
        await execute();
        await this.#wait(fault.delayMs);
        return execute();
      case "hang":
        await this.#released;
        return execute();
      case "hang-reply": {
        const result = await execute();
        await this.#released;
        return result;
      }
      case "mute":
        return execute();
    }
  }

  async #wait(delayMs = 0): Promise<void> {
    if (delayMs > 0) await sleep(this.#clock, delayMs);
  }
}

export function matches(call: CacheCall, { operation, key }: CallFilter): boolean {
  if (operation !== undefined && operation !== call.operation) return false;
  if (key === undefined) return true;
  if (call.key === undefined) return false;
  return typeof key === "function" ? key(call.key) : key === call.key;
}

function failure({ operation, key }: CacheCall, what: string, code: string): OperationError {
  const subject = key === undefined ? operation : `${operation} "${key}"`;
  return new OperationError(`${subject} ${what}`, { code, operation, ...(key === undefined ? {} : { key }) });
}
