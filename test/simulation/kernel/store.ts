import { equalBytes } from "../../../src/cache/bytes.ts";
import type { GetOrSetResult } from "../../../src/cache/contract.ts";
import type { Machine } from "./machine.ts";
import type { Timeline } from "./timeline.ts";

/** What a client asks of the store; `ttlMs` is whole or `Infinity`. */
export type Command =
  | { readonly name: "get" | "delete"; readonly key: string }
  | { readonly name: "set" | "getOrSet"; readonly key: string; readonly value: Uint8Array; readonly ttlMs: number }
  | {
      readonly name: "compareAndSet";
      readonly key: string;
      readonly expected: Uint8Array | null;
      readonly next: Uint8Array | null;
      readonly ttlMs: number;
      readonly announced: boolean;
    };

export type Answer = Uint8Array | GetOrSetResult | boolean | undefined;

interface Entry {
  readonly value: Uint8Array;
  readonly expiresAtMs: number;
}

/** Why a key holds what it holds now. A loss is what no store may do to an acknowledged write, and stores do. */
export type Cause = "command" | "expired" | "lost";

export interface Change {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  readonly cause: Cause;
}

interface Undo {
  readonly key: string;
  readonly before: Entry | undefined;
}

/** As much of the past as a fail-over can lose. */
const JOURNAL = 64;

/**
 * The data of the server: the contract's operations, executed one at a time by
 * the server's own clock, and the accidents that stores have. Like Redis it
 * expires by its wall clock, in whole milliseconds.
 */
export class Store {
  readonly #clock: Machine;
  readonly #timeline: Timeline;
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #journal: Undo[] = [];
  /** Called with every change of a key's value, the removal of an expired one when it is noticed. */
  onChange: (change: Change) => void = () => {};
  /** Called for each key of which an acknowledged write, or a part of its TTL, is lost. */
  onLoss: (key: string) => void = () => {};

  constructor(clock: Machine, timeline: Timeline) {
    this.#clock = clock;
    this.#timeline = timeline;
  }

  execute(command: Command): Answer {
    const { key } = command;
    const entry = this.#live(key);
    switch (command.name) {
      case "get":
        return entry?.value;
      case "delete":
        if (entry) this.#write(key, undefined, "command");
        return entry !== undefined;
      case "set":
        this.#write(key, this.#entry(command.value, command.ttlMs), "command");
        return undefined;
      case "getOrSet":
        if (entry) return { value: entry.value, wasSet: false };
        this.#write(key, this.#entry(command.value, command.ttlMs), "command");
        return { value: command.value, wasSet: true };
      case "compareAndSet": {
        const { expected, next, ttlMs, announced } = command;
        if (!sameState(entry?.value, expected)) return false;
        this.#write(key, next === null ? undefined : this.#entry(next, ttlMs), "command");
        if (announced && !sameState(next ?? undefined, expected)) this.#notify(key);
        return true;
      }
    }
  }

  /** What a key holds now. */
  get(key: string): Uint8Array | undefined {
    return this.#live(key)?.value;
  }

  /** Keys that are there, each with the time that it has left. */
  remaining(): Map<string, number> {
    const left = new Map<string, number>();
    for (const key of [...this.#entries.keys()]) {
      const entry = this.#live(key);
      if (entry) left.set(key, entry.expiresAtMs - this.#clock.wallMs());
    }
    return left;
  }

  /** How many watches there are. */
  get watches(): number {
    let count = 0;
    for (const watchers of this.#watchers.values()) count += watchers.size;
    return count;
  }

  /** Calls `notify` when the key was changed by a compare-and-set, or expired. Returns what ends it. */
  watch(key: string, notify: () => void): () => void {
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers);
    watchers.add(notify);
    const entry = this.#live(key);
    if (watchers.size === 1 && entry) this.#planExpiry(key, entry);
    return () => {
      watchers.delete(notify);
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    };
  }

  /** A restart without persistence. */
  empty(): void {
    for (const key of [...this.#entries.keys()]) this.evict(key);
    this.#journal = [];
  }

  evict(key: string): void {
    if (!this.#live(key)) return;
    this.onLoss(key);
    this.#write(key, undefined, "lost");
  }

  /** A fail-over to a replica that had not heard of the last writes yet. */
  rollBack(writes: number): void {
    const undone = this.#journal.splice(Math.max(0, this.#journal.length - writes));
    const journal = this.#journal;
    for (const { key, before } of undone.reverse()) {
      this.#live(key);
      this.onLoss(key);
      this.#write(key, before, "lost");
      this.#live(key);
    }
    this.#journal = journal;
  }

  /** The server's clock was set forwards, or backwards: values expire early, or late. */
  jumpClock(ms: number): void {
    const before = [...this.remaining().keys()];
    this.#clock.jumpWall(ms);
    if (ms < 0) return;
    for (const key of before) {
      this.onLoss(key);
      this.#live(key);
    }
  }

  #entry(value: Uint8Array, ttlMs: number): Entry {
    return { value, expiresAtMs: this.#clock.wallMs() + ttlMs };
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#clock.wallMs() < entry.expiresAtMs) return entry;
    this.#entries.delete(key);
    this.onChange({ key, value: undefined, cause: "expired" });
    this.#notify(key);
    return undefined;
  }

  #write(key: string, entry: Entry | undefined, cause: Cause): void {
    const before = this.#entries.get(key);
    this.#journal.push({ key, before });
    if (this.#journal.length > JOURNAL) this.#journal.shift();
    if (entry === undefined) this.#entries.delete(key);
    else this.#entries.set(key, entry);
    if (entry !== undefined && this.#watchers.has(key)) this.#planExpiry(key, entry);
    if (!sameState(before?.value, entry?.value ?? null)) this.onChange({ key, value: entry?.value, cause });
  }

  #planExpiry(key: string, entry: Entry): void {
    const leftMs = entry.expiresAtMs - this.#clock.wallMs();
    if (leftMs === Number.POSITIVE_INFINITY) return;
    this.#timeline.after(Math.max(0.1, leftMs), () => {
      if (this.#entries.get(key) !== entry || !this.#watchers.has(key)) return;
      if (this.#live(key)) this.#planExpiry(key, entry);
    });
  }

  #notify(key: string): void {
    for (const notify of this.#watchers.get(key) ?? []) notify();
  }
}

function sameState(value: Uint8Array | undefined, expected: Uint8Array | null): boolean {
  return value === undefined || expected === null
    ? value === undefined && expected === null
    : equalBytes(value, expected);
}
