import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeToken } from "../../../src/primitives/lease/fence.ts";
import { leaseKeys } from "../../../src/primitives/lease/names.ts";
import { acquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { LockTimeoutError } from "../../../src/primitives/lock/errors.ts";
import { inspectLock } from "../../../src/primitives/lock/inspect-lock.ts";
import type { Lock } from "../../../src/primitives/lock/lock.ts";
import type { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { World } from "../../unit/lock/world.ts";
import { leaseRecordBytes } from "../records.ts";
import { type FuzzTarget, target } from "../target.ts";
import { tokenBytes } from "../tokens.ts";

const TTL_MS = 1_000;
const WAIT_MS = 5_000;
const BRIEF_MS = 10;
/** Store operations that one wait of {@link WAIT_MS} may take, far more than it does. */
const OPERATIONS_PER_WAIT = 200;

const keys = leaseKeys("lock", "job");

type Step =
  | { readonly do: "acquire"; readonly client: number; readonly fencing: boolean; readonly holdMs: number }
  | { readonly do: "spoil lease" | "spoil fence"; readonly bytes: Uint8Array; readonly ttlMs: number }
  | { readonly do: "pass"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("acquire" as const),
      client: fc.nat(2),
      fencing: fc.boolean(),
      holdMs: fc.constantFrom(0, 1, 400, 3_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("spoil lease" as const),
      bytes: leaseRecordBytes,
      // Not sooner gone than the lease that it may have taken the place of.
      ttlMs: fc.constantFrom(TTL_MS, 2_000, 8_000, Number.POSITIVE_INFINITY),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("spoil fence" as const),
      bytes: tokenBytes,
      ttlMs: fc.constantFrom(BRIEF_MS, 600_000),
    }),
  },
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 100, 2_000) }),
);

/** Locks in a store in which somebody writes over the records and the fence. */
export const lockWorld: FuzzTarget = target({
  name: "locks among garbage",
  inputs: fc.tuple(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 10 })),
  outcomes: ["granted", "refused"],
  runs: 200,
  async check([ordered, steps]) {
    const world = new LockWorld(ordered);
    for (const each of steps) await world.take(each);
    return world.end();
  },
});

class LockWorld {
  readonly #world = new World();
  readonly #clients: readonly FaultyCache[];
  readonly #waits = new Set<Promise<void>>();
  #holders: Lock[] = [];
  #highest = 0;
  /** The fence stands below tokens that were issued, or will be gone before the next one is. */
  #fenceLost = false;
  #acquisitions = 0;
  #underWay = 0;
  #granted = 0;

  constructor(ordered: boolean) {
    this.#clients = [0, 1, 2].map(() => this.#world.client({ ordered }));
  }

  async take(step: Step): Promise<void> {
    const { clock } = this.#world;
    switch (step.do) {
      case "acquire":
        this.#acquire(step);
        return clock.advance(0);
      case "spoil lease":
        return this.#world.store().set(keys.lease, step.bytes, step.ttlMs);
      case "spoil fence":
        this.#noteFence(decodeToken(step.bytes), step.ttlMs);
        return this.#world.store().set(keys.fence, step.bytes, step.ttlMs);
      case "pass":
        return clock.advance(step.ms);
    }
  }

  /** Everybody comes to an end, and nothing stays behind. */
  async end(): Promise<string> {
    const { clock } = this.#world;
    await inspectLock(this.#world.store(), "job");
    await clock.advance(WAIT_MS + 30_000);
    const ended = Promise.all(this.#waits).then(() => "ended");
    assert.equal(await Promise.race([ended, clock.advance(0).then(() => "not ended")]), "ended");
    assert.equal(clock.timers, 0);
    for (const client of this.#clients) assert.equal(client.stats().watchedKeys, 0);
    const operations = this.#clients.reduce((sum, client) => sum + client.calls.length, 0);
    assert(operations <= OPERATIONS_PER_WAIT * this.#acquisitions, `${operations} operations`);
    return this.#granted > 0 ? "granted" : "refused";
  }

  #noteFence(fence: number, ttlMs: number): void {
    if (fence < this.#highest || ttlMs === BRIEF_MS) this.#fenceLost = true;
    // A turn that is under way has tokens of its own; one that begins now takes the fence at its word.
    else if (this.#underWay === 0) this.#highest = fence;
  }

  #acquire(step: Extract<Step, { do: "acquire" }>): void {
    this.#acquisitions += 1;
    this.#underWay += 1;
    const wait = this.#hold(step)
      .catch((error: unknown) => {
        if (!(error instanceof LockTimeoutError)) throw error;
      })
      .finally(() => {
        this.#underWay -= 1;
      });
    // Looked at in the end; until then a rejection is nobody's.
    wait.catch(() => {});
    this.#waits.add(wait);
  }

  async #hold({ client, fencing, holdMs }: Extract<Step, { do: "acquire" }>): Promise<void> {
    const cache = this.#clients[client];
    assert(cache);
    const lock = await acquireLock(cache, "job", this.#world.options({ ttlMs: TTL_MS, waitMs: WAIT_MS, fencing }));
    this.#granted += 1;
    this.#holders = this.#holders.filter((holder) => holder.isHeld());
    assert.equal(this.#holders.length, 0, "two hold the lock");
    this.#holders.push(lock);
    if (fencing) await this.#checkToken(lock.fencingToken);
    await new Promise<void>((resolve) => this.#world.clock.setTimer(resolve, holdMs));
    await lock.release();
  }

  /** A token does not fall, unless the fence does, below one that the clock had not reached. */
  async #checkToken(token: number): Promise<void> {
    assert(Number.isSafeInteger(token) && token > 0, `token ${token}`);
    const clockUs = this.#world.clock.wallMs() * 1_000;
    if (!this.#fenceLost || this.#highest < clockUs) assert(token > this.#highest, `${token} after ${this.#highest}`);
    this.#highest = token;
    const fence = await this.#world.store().get(keys.fence);
    this.#fenceLost = fence === undefined || decodeToken(fence) < token;
  }
}
