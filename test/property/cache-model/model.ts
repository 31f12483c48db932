/** What a cache holds and answers, as a pure function: the contract, executable. */

import { isDeepStrictEqual } from "node:util";

export type Operation =
  | { readonly name: "get" | "delete"; readonly key: string }
  | { readonly name: "set" | "getOrSet"; readonly key: string; readonly value: Uint8Array; readonly ttlMs: number }
  | {
      readonly name: "compareAndSet";
      readonly key: string;
      readonly expected: Uint8Array | null;
      readonly next: Uint8Array | null;
      readonly ttlMs: number;
      readonly announce: "watchers" | "none";
    };

/** Something that happened not before `from` and not after `to`; with exact time both are the same. */
export interface Moment {
  readonly from: number;
  readonly to: number;
}

/** What a key holds; the TTL runs out at some moment. */
export interface Held {
  readonly value: Uint8Array;
  readonly expires: Moment;
}

export interface Outcome {
  readonly result: unknown;
  readonly next: Held | null;
  /** Watchers of the key are told. */
  readonly announced: boolean;
}

/** The outcome of an operation on a key that holds `held` (`null`: absent). */
export function apply(operation: Operation, held: Held | null, at: Moment): Outcome {
  const done = (result: unknown, next: Held | null, announced = false): Outcome => ({ result, next, announced });
  const stored = (value: Uint8Array, ttlMs: number): Held => {
    const ttl = Math.ceil(ttlMs);
    return { value, expires: { from: at.from + ttl, to: at.to + ttl } };
  };
  switch (operation.name) {
    case "get":
      return done(held?.value, held);
    case "set":
      return done(undefined, stored(operation.value, operation.ttlMs));
    case "delete":
      return done(held !== null, null);
    case "getOrSet": {
      if (held) return done({ value: held.value, wasSet: false }, held);
      return done({ value: operation.value, wasSet: true }, stored(operation.value, operation.ttlMs));
    }
    case "compareAndSet": {
      const { expected, next, ttlMs, announce } = operation;
      if (!isDeepStrictEqual(held?.value ?? null, expected)) return done(false, held);
      const changed = !isDeepStrictEqual(expected, next);
      return done(true, next && stored(next, ttlMs), changed && announce === "watchers");
    }
  }
}

/**
 * The states that a key may be in at a moment: before its TTL has run out for
 * sure, and after, there is one; in between, both.
 */
export function possible(held: Held | null, at: Moment): ReadonlyArray<Held | null> {
  if (held === null || at.from >= held.expires.to) return [null];
  return at.to < held.expires.from ? [held] : [held, null];
}
