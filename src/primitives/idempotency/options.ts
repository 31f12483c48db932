import { describe } from "../../cache/checks.ts";
import { checkFunction, checkOneOf, checkText } from "../../cache/choices.ts";
import type { Codec } from "../../cache/codec/codec.ts";
import { checkDuration, checkWait } from "../../cache/durations.ts";
import { ConfigError } from "../../cache/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isolated } from "../../runtime/isolated.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import type { Scope } from "../lease/scope.ts";
import { type LeaseTiming, leaseTiming } from "../lease/timing.ts";
import type { IdempotencyObserver } from "./events.ts";
import { fingerprint } from "./fingerprint.ts";
import { checkMemo, type MemoOptions, type MemoSettings } from "./memo.ts";
import { resultCodec } from "./result.ts";

/** What becomes of a message whose handler threw. */
export type ErrorPolicy = "release" | "store";

export interface IdempotentOptions<Input> {
  /** Keeps the messages of one handler apart from those of others. */
  readonly name: string;
  /** What makes two inputs the same message: a non-empty string. */
  readonly key: (input: Input) => string;
  /**
   * What two inputs of one key must have in common, so that a key that is used
   * again for something else is noticed: anything that CBOR can hold. Default the
   * whole input; `false`: inputs are not compared.
   */
  readonly fingerprint?: ((input: Input) => unknown) | false | undefined;
  /** How long a result is kept and replayed, in milliseconds; `Infinity` for ever. Default 24 hours. */
  readonly resultTtlMs?: number | undefined;
  /** How long a claim outlives a worker that died, in milliseconds. At least 100. Default 30,000. */
  readonly leaseTtlMs?: number | undefined;
  /**
   * What a duplicate does while the handler runs: `"wait"` (default) for the
   * result, or `"reject"` at once with an `IdempotencyInProgressError`.
   */
  readonly whenInProgress?: "wait" | "reject" | undefined;
  /** How long a duplicate waits: 0 not at all, `Infinity` for ever. Default 30,000. */
  readonly waitMs?: number | undefined;
  /**
   * When the handler throws: `"release"` (default) forgets the message, so that
   * the next delivery runs it again; `"store"` keeps the error as the result.
   * A function decides by the error; if it throws, the message is released and
   * its error takes the place of the handler's. An error that is the reason of the
   * run's signal, or is caused by it, is never kept: it only says that the run had
   * to stop.
   */
  readonly onError?: ErrorPolicy | ((error: unknown) => ErrorPolicy) | undefined;
  /**
   * When the store cannot be reached for a claim: `"fail"` (default) with the
   * store's error; `"run"` runs the handler without any guard but that of this
   * process.
   */
  readonly whenStoreDown?: "fail" | "run" | undefined;
  /** After this long a run's claim is not renewed any more, and its signal aborts. Default `Infinity`. */
  readonly maxRunMs?: number | undefined;
  /**
   * The longest result that is kept, in bytes of CBOR. Default 1 MiB. What the store takes is a second limit, and counts
   * the record around the result as well: up to 256 bytes.
   */
  readonly maxResultBytes?: number | undefined;
  /**
   * Keeps results in this process as well, so that a duplicate costs nothing.
   * Default `false`. `forget` in another process does not reach them.
   */
  readonly memo?: boolean | MemoOptions | undefined;
  /** Whether a run gets a fencing token. Costs one store operation. Default `false`. */
  readonly fencing?: boolean | undefined;
  /** Is told what happens. */
  readonly observer?: IdempotencyObserver | undefined;
  /** Time, timers and randomness; for tests. */
  readonly clock?: Clock | undefined;
  /** Set by a coordinator, whose `close` then ends waits and runs. */
  readonly scope?: Scope | undefined;
}

export interface IdempotentSettings<Input> extends MessageSettings {
  readonly keyOf: (input: Input) => string;
  readonly fingerprintOf: (input: Input, key: string) => Uint8Array | undefined;
}

/** What a message needs once its key and fingerprint are known. */
export interface MessageSettings {
  readonly name: string;
  readonly resultTtlMs: number;
  readonly timing: LeaseTiming;
  readonly waitMs: number;
  readonly onError: (error: unknown) => ErrorPolicy;
  readonly whenStoreDown: "fail" | "run";
  readonly maxRunMs: number;
  /** Reads and writes results, within `maxResultBytes`. */
  readonly codec: Codec;
  readonly memo: MemoSettings | undefined;
  readonly fencing: boolean;
  readonly observer: IdempotencyObserver;
  readonly clock: Clock;
  readonly scope: Scope | undefined;
}

const MIN_TTL_MS = 100;
const DAY_MS: number = 24 * 60 * 60 * 1_000;
const MAX_RESULT_BYTES: number = 1024 * 1024;
const OF_INPUT = "a function of the input";

/** Fills in the defaults. Throws `ConfigError` naming the option that is wrong. */
export function idempotentSettings<Input>(options: IdempotentOptions<Input>): IdempotentSettings<Input> {
  const {
    name,
    key,
    fingerprint: pick,
    resultTtlMs = DAY_MS,
    leaseTtlMs = 30_000,
    whenInProgress = "wait",
    waitMs = 30_000,
    onError = "release",
    whenStoreDown = "fail",
    maxRunMs = Number.POSITIVE_INFINITY,
    maxResultBytes = MAX_RESULT_BYTES,
    memo = false,
    fencing = false,
    observer = () => {},
    clock = systemClock,
    scope,
  } = options;
  checkText(name, "name");
  checkFunction(key, "key", OF_INPUT);
  checkFunction(observer, "observer");
  if (pick !== undefined && pick !== false) checkFunction(pick, "fingerprint", OF_INPUT);
  checkWait(waitMs, "waitMs");
  const waits = checkOneOf(whenInProgress, "whenInProgress", ["wait", "reject"]) === "wait";
  checkOneOf(whenStoreDown, "whenStoreDown", ["fail", "run"]);
  checkOneOf(fencing, "fencing", [true, false]);
  if (fencing && whenStoreDown === "run") {
    throw new ConfigError('fencing: true and whenStoreDown: "run" exclude each other: without the store, no token');
  }
  return {
    name,
    keyOf: key,
    fingerprintOf: fingerprinter(name, pick),
    resultTtlMs: checkResultTtl(resultTtlMs),
    timing: leaseTiming(checkDuration(leaseTtlMs, "leaseTtlMs", MIN_TTL_MS)),
    waitMs: waits ? waitMs : 0,
    onError: errorPolicy(onError),
    whenStoreDown,
    maxRunMs: checkMaxRun(maxRunMs),
    codec: checkedCodec(maxResultBytes),
    memo: checkMemo(memo),
    fencing,
    observer: isolated(observer),
    clock,
    scope,
  };
}

function fingerprinter<Input>(
  name: string,
  pick: ((input: Input) => unknown) | false | undefined,
): (input: Input, key: string) => Uint8Array | undefined {
  if (pick === false) return () => undefined;
  return (input, key) => fingerprint(pick ? pick(input) : input, name, key);
}

function errorPolicy(policy: ErrorPolicy | ((error: unknown) => ErrorPolicy)): (error: unknown) => ErrorPolicy {
  const known = ["release", "store"] as const;
  if (typeof policy === "function") return (error) => checkOneOf(policy(error), "onError", known);
  const always = checkOneOf(policy, "onError", known);
  return () => always;
}

function checkedCodec(maxBytes: number): Codec {
  try {
    return resultCodec(maxBytes);
  } catch {
    throw new ConfigError(
      `maxResultBytes is ${describe(maxBytes)}; it must be a whole number of bytes from 1 to 268435456`,
    );
  }
}

function checkResultTtl(value: unknown): number {
  if (typeof value === "number" && value > 0) return value;
  throw new ConfigError(
    `resultTtlMs is ${describe(value)}; it must be a number of milliseconds above 0, or Infinity for ever`,
  );
}

function checkMaxRun(value: number): number {
  return value === Number.POSITIVE_INFINITY ? value : checkDuration(value, "maxRunMs", 1);
}
