import { elapsedMs, type Instant } from "../../../src/runtime/instant.ts";
import type { Process } from "../kernel/world.ts";

/** What the library gives to whoever holds a lease: a lock, or a term of office. */
export interface Tenure {
  readonly signal: AbortSignal;
  isHeld(): boolean;
}

/** A write that was acknowledged: until then the store keeps the lease, counted from before it was sent. */
interface Acknowledged {
  readonly sentAt: Instant;
  readonly ttlMs: number;
}

export interface HoldingOptions {
  readonly maxHoldMs: number | undefined;
  readonly isExtended: boolean;
}

/** A record came into a key. */
export interface Install {
  /** Counts all of them, in the order of the store. */
  readonly order: number;
  readonly atMs: number;
  /** Since when the key had been free; `undefined` if it came straight from another record. */
  readonly freeSinceMs: number | undefined;
}

/** Clocks may differ in rate by 1 %, and a store may count in whole milliseconds. */
const RATE_MARGIN = 0.01;
const GRAIN_MS = 1;
/** There is no margin in `maxHoldMs`: a timer may run late, and have to be set again because it was early. */
const TIMER_ERROR_MS = 3;
const REMEMBERED = 8;

/** What is known of one task's hold on one key, from outside of the library. */
export class Holding {
  readonly task: string;
  readonly key: string;
  readonly process: Process;
  /** True times. */
  readonly startedAtMs: number;
  grantedAtMs: number | undefined;
  /** The same by the monotonic clock of its process. */
  grantedAtMonotonicMs: number | undefined;
  readonly maxHoldMs: number;
  /** Whether it asks for another TTL in between. */
  readonly isExtended: boolean;
  /** The user's side of it, once it was granted. */
  tenure: Tenure | undefined;
  token = 0;
  /** The write that began this tenure. */
  install: Install = { order: 0, atMs: 0, freeSinceMs: undefined };
  /** The user has given it back, or has seen that it is lost. */
  ended = false;
  signalled = false;
  /** Whether it was ever seen not to be held. */
  seenLost = false;
  /** The store has lost something of this key meanwhile, so others may hold it, too. */
  tainted = false;
  /** When the task was told how it ends. */
  settledAtMs: number | undefined;
  /** When a record of it came into the key for the first time. */
  firstInstalledAtMs: number | undefined;
  /** For each token, when its record came into the key the last time. */
  readonly installs: Map<number, Install> = new Map();
  /** Of the newest record only: it may have been given a shorter TTL than the one before. */
  #acknowledged: Acknowledged[] = [];
  #newest: string | undefined;
  /** When it was sent for the first time: what is heard of a record from before is old news. */
  #newestSentAtMs = Number.NEGATIVE_INFINITY;
  readonly #seen = new Set<string>();

  constructor(task: string, key: string, process: Process, startedAtMs: number, options: HoldingOptions) {
    this.maxHoldMs = options.maxHoldMs ?? Number.POSITIVE_INFINITY;
    this.isExtended = options.isExtended;
    this.task = task;
    this.key = key;
    this.process = process;
    this.startedAtMs = startedAtMs;
  }

  /** The place of this tenure in the order of the store. */
  get order(): number {
    return this.install.order;
  }

  /** Granted, and not given back or seen lost. */
  get open(): boolean {
    return this.tenure !== undefined && !this.ended && !this.process.machine.dead;
  }

  /** @param record identifies the bytes that were written */
  acknowledge(record: string, sentAt: Instant, ttlMs: number): void {
    if (!this.#seen.has(record) && sentAt.monotonicMs >= this.#newestSentAtMs) {
      this.#seen.add(record);
      this.#newest = record;
      this.#newestSentAtMs = sentAt.monotonicMs;
      this.#acknowledged = [];
    }
    if (record !== this.#newest) return;
    this.#acknowledged.push({ sentAt, ttlMs });
    if (this.#acknowledged.length > REMEMBERED) this.#acknowledged.shift();
  }

  /** How long the lease is sure to last, by the holder's own clocks; negative when it is over. */
  get sureForMs(): number {
    const { machine } = this.process;
    const left = this.#acknowledged.map(
      ({ sentAt, ttlMs }) => ttlMs * (1 - RATE_MARGIN) - GRAIN_MS - elapsedMs(machine, sentAt),
    );
    const nowMs = machine.monotonicMs();
    const heldForMs = nowMs - (this.grantedAtMonotonicMs ?? nowMs);
    const holdableForMs = this.maxHoldMs + TIMER_ERROR_MS - heldForMs;
    return Math.min(Math.max(Number.NEGATIVE_INFINITY, ...left), holdableForMs);
  }

  toString(): string {
    return `${this.task} on ${this.key}`;
  }
}
