import assert from "node:assert/strict";
import type { Cache } from "../../cache/contract.ts";
import { sleep } from "../../runtime/clock.ts";
import { systemClock } from "../../runtime/system-clock.ts";

/** The store under test, and what may be expected of it beyond the contract. */
export interface ConformanceBackend {
  /** Shown in the names of the tests. */
  readonly name: string;
  /** Opens a client, at once or later. Every call opens another client of the *same* store; the suite closes it. */
  open(): Cache | Promise<Cache>;
  /** Lets time pass for the store. Default: really waits. */
  readonly elapse?: ((ms: number) => Promise<void>) | undefined;
  /**
   * `elapse` is the only thing that moves the store's time, and moves it exactly:
   * the suite then tests expiry to the millisecond. Default `false`.
   */
  readonly exactTime?: boolean | undefined;
  /** Watchers are called when the contract says so and at no other time. Default `false`. */
  readonly exactWatch?: boolean | undefined;
  /** The unit of the TTLs that the suite waits for. Default 40; with `exactTime`, 1,000. */
  readonly ttlUnitMs?: number | undefined;
  /** The clients' `maxValueBytes`. Default 1 MiB. */
  readonly maxValueBytes?: number | undefined;
}

/** A TTL that never runs out during a test. */
export const HOUR = 3_600_000;

/** How long {@link Scene.eventually} has patience; only a failing test takes so long. */
const PATIENCE_MS = 4_000;
const POLL_MS = 5;

/** The machine was too slow for what a step has seen to mean anything. */
export class TooSlow extends Error {}

/** What one test works with: a client, a key nobody else uses, and time. */
export class Scene {
  readonly cache: Cache;
  readonly key: string;
  /** Tests that wait build their TTLs from it, so that one that was too slow can be run again with a longer unit. */
  readonly unitMs: number;
  readonly backend: ConformanceBackend;
  readonly #opened: Cache[];

  private constructor(backend: ConformanceBackend, unitMs: number, cache: Cache) {
    this.backend = backend;
    this.unitMs = unitMs;
    this.cache = cache;
    this.key = uniqueKey();
    this.#opened = [cache];
  }

  static async open(backend: ConformanceBackend, unitMs: number): Promise<Scene> {
    return new Scene(backend, unitMs, await backend.open());
  }

  /** Another client of the same store. */
  async open(): Promise<Cache> {
    const cache = await this.backend.open();
    this.#opened.push(cache);
    return cache;
  }

  /** Several more clients. */
  clients(count: number): Promise<Cache[]> {
    return Promise.all(Array.from({ length: count }, () => this.open()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((cache) => cache.close()));
  }

  async elapse(ms: number): Promise<void> {
    await (this.backend.elapse?.(ms) ?? sleep(systemClock, ms));
  }

  /** Waits until a TTL that was given before has run out. */
  async outlive(ttlMs: number): Promise<void> {
    await this.elapse(this.backend.exactTime ? ttlMs : ttlMs + this.unitMs / 2);
  }

  /** For steps that only mean something while a TTL of `ttlMs`, given in them, still runs. */
  async within(ttlMs: number, steps: () => Promise<void>): Promise<void> {
    if (this.backend.exactTime) return steps();
    const startedMs = systemClock.monotonicMs();
    const inTime = (): boolean => systemClock.monotonicMs() - startedMs < ttlMs;
    try {
      await steps();
    } catch (error) {
      throw inTime() ? error : new TooSlow();
    }
    if (!inTime()) throw new TooSlow();
  }

  /** Waits until `condition` holds, and fails when it never does. */
  async eventually(what: string, condition: () => boolean): Promise<void> {
    for (let waitedMs = 0; !condition(); waitedMs += POLL_MS) {
      assert.ok(waitedMs < PATIENCE_MS, `waited ${PATIENCE_MS} ms in vain: ${what}`);
      await this.elapse(POLL_MS);
    }
  }
}

/** Counts its calls. */
export class Calls {
  count = 0;
  readonly listener: () => void = () => {
    this.count += 1;
  };
}

export function uniqueKey(): string {
  return `conformance:${Buffer.from(systemClock.randomBytes(9)).toString("base64url")}`;
}

/** The bytes of a text, or of a list of numbers. */
export function bytes(content: string | readonly number[]): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : Uint8Array.from(content);
}
