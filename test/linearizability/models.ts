import type { Model, Operation } from "./checker.ts";

/** An operation on one key of a cache; values are text here. */
export type CacheInput =
  | { readonly name: "get" | "delete"; readonly key: string }
  /** The store lost all that it had. */
  | { readonly name: "wipe"; readonly key: string }
  | { readonly name: "set" | "getOrSet"; readonly key: string; readonly value: string; readonly ttlMs: number }
  | {
      readonly name: "compareAndSet";
      readonly key: string;
      /** `null`: absent. */
      readonly expected: string | null;
      readonly next: string | null;
      readonly ttlMs: number;
    };

/** What it said: the value now held or before (`null`: absent), whether it did something. */
export interface CacheOutput {
  readonly value?: string | null;
  readonly done?: boolean;
}

/** What a key holds. When it expires is known only within bounds: the write took effect between call and return. */
interface Held {
  readonly value: string;
  readonly expiresFrom: number;
  readonly expiresTo: number;
}

type CacheOperation = Operation<CacheInput, CacheOutput>;

/**
 * One key of a cache: a register with compare-and-set, whose values go by
 * themselves. Between the earliest and the latest moment at which a value can
 * have expired, it may be there or not.
 *
 * @param toleranceMs how far the clock of the store may be off
 */
export function cacheModel(toleranceMs: number): Model<Held | null, CacheInput, CacheOutput> {
  const step = (held: Held | null, operation: CacheOperation, beforeMs: number): (Held | null)[] =>
    possible(held, { from: operation.calledAt - toleranceMs, to: beforeMs + toleranceMs }).flatMap((before) => {
      const after = apply(before, operation);
      return after === undefined ? [] : [after.held];
    });
  return { name: "cache", initial: null, step, keyOf: (held) => (held ? `${held.value} ${held.expiresFrom}` : "") };
}

/** What the key can hold at some moment between two times. */
function possible(held: Held | null, at: { readonly from: number; readonly to: number }): (Held | null)[] {
  if (held === null || at.from > held.expiresTo) return [null];
  return at.to > held.expiresFrom ? [held, null] : [held];
}

/** `undefined`: the operation cannot have had this output. */
function apply(held: Held | null, operation: CacheOperation): { readonly held: Held | null } | undefined {
  const { input, output } = operation;
  const value = held?.value ?? null;
  const allowed = (expected: CacheOutput, next: Held | null): { readonly held: Held | null } | undefined =>
    output === undefined || (output.value === expected.value && output.done === expected.done)
      ? { held: next }
      : undefined;
  switch (input.name) {
    case "get":
      return allowed({ value }, held);
    case "delete":
      return allowed({ done: held !== null }, null);
    case "wipe":
      return allowed({}, null);
    case "set":
      return allowed({}, written(input.value, operation, input.ttlMs));
    case "getOrSet":
      if (held) return allowed({ value, done: false }, held);
      return allowed({ value: input.value, done: true }, written(input.value, operation, input.ttlMs));
    case "compareAndSet": {
      if (value !== input.expected) return allowed({ done: false }, held);
      const next = input.next === null ? null : written(input.next, operation, input.ttlMs);
      return allowed({ done: true }, next);
    }
  }
}

function written(value: string, { calledAt, returnedAt, output }: CacheOperation, ttlMs: number): Held {
  const latest = output === undefined ? Number.POSITIVE_INFINITY : returnedAt;
  return { value, expiresFrom: calledAt + ttlMs, expiresTo: latest + ttlMs };
}

/** A lock is taken, or somebody stops to rely on it: because it was given back, or because its signal fired. */
export interface LockInput {
  readonly name: "acquire" | "end";
  readonly lock: string;
  /** Who: unique to one acquisition. */
  readonly tenure: string;
}

export interface LockOutput {
  /** 0 when nothing was granted, and for `end`. */
  readonly fencingToken: number;
}

/** At most one holder at a time. */
export const mutex: Model<string | null, LockInput, LockOutput> = {
  name: "mutex",
  initial: null,
  step(holder, { input, output }) {
    if (output === undefined || (input.name === "acquire" && output.fencingToken === 0)) return [holder];
    if (input.name === "acquire") return holder === null ? [input.tenure] : [];
    return holder === input.tenure ? [null] : [];
  },
  keyOf: (holder) => holder ?? "",
};

/** Holders may overlap, but each has a token above those of all before. */
export const fencedMutex: Model<number, LockInput, LockOutput> = {
  name: "fenced mutex",
  initial: 0,
  step(highest, { input, output }) {
    if (input.name === "end" || output === undefined || output.fencingToken === 0) return [highest];
    return output.fencingToken > highest ? [output.fencingToken] : [];
  },
  keyOf: String,
};

/** A write to a resource that refuses tokens below the highest it has seen. */
export interface WriteInput {
  readonly resource: string;
  readonly fencingToken: number;
}

export interface WriteOutput {
  readonly accepted: boolean;
}

export const fencedResource: Model<number, WriteInput, WriteOutput> = {
  name: "fenced resource",
  initial: 0,
  step(highest, { input, output }) {
    const accepted = input.fencingToken >= highest;
    if (output !== undefined && output.accepted !== accepted) return [];
    return [accepted ? input.fencingToken : highest];
  },
  keyOf: String,
};
