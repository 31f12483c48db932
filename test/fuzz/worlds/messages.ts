import assert from "node:assert/strict";
import fc from "fast-check";
import { HoldfastError } from "../../../src/cache/errors.ts";
import { IdempotencyInProgressError } from "../../../src/primitives/idempotency/errors.ts";
import type { Idempotent } from "../../../src/primitives/idempotency/idempotent.ts";
import { messageKeys } from "../../../src/primitives/idempotency/names.ts";
import { leaseKey, type Order, type Process, World } from "../../unit/idempotency/world.ts";
import { messageRecordBytes } from "../records.ts";
import { type FuzzTarget, target } from "../target.ts";
import { tokenBytes } from "../tokens.ts";

const LEASE_MS = 1_000;
const WAIT_MS = 5_000;
/** Store operations that one delivery may take, far more than it does. */
const OPERATIONS_PER_DELIVERY = 200;

type Step =
  | { readonly do: "deliver"; readonly process: number; readonly amount: number; readonly runMs: number }
  | { readonly do: "spoil record" | "spoil fence"; readonly bytes: Uint8Array; readonly ttlMs: number }
  | { readonly do: "forget"; readonly process: number }
  | { readonly do: "pass"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      process: fc.nat(1),
      amount: fc.nat(1),
      runMs: fc.constantFrom(0, 1, 400, 3_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("spoil record" as const),
      bytes: messageRecordBytes,
      // Not sooner gone than the claim that it may have taken the place of.
      ttlMs: fc.constantFrom(LEASE_MS, 2_000, 8_000, Number.POSITIVE_INFINITY),
    }),
  },
  fc.record({ do: fc.constant("spoil fence" as const), bytes: tokenBytes, ttlMs: fc.constantFrom(10, 60_000) }),
  fc.record({ do: fc.constant("forget" as const), process: fc.nat(1) }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 100, 2_000) }),
);

/** Deliveries of one message in a store in which somebody writes over its record and its fence. */
export const messageWorld: FuzzTarget = target({
  name: "messages among garbage",
  inputs: fc.tuple(fc.boolean(), fc.boolean(), fc.array(step, { minLength: 1, maxLength: 10 })),
  outcomes: ["run", "not run"],
  runs: 200,
  async check([ordered, fencing, steps]) {
    const world = new MessageWorld(ordered, fencing);
    for (const each of steps) await world.take(each);
    return world.end();
  },
});

class MessageWorld {
  readonly #world = new World();
  readonly #processes: readonly Process[];
  readonly #guards: readonly Idempotent<Order, string>[];
  readonly #calls = new Set<Promise<unknown>>();
  /** Runs whose signal has not aborted. */
  readonly #running = new Set<AbortSignal>();
  #runs = 0;

  constructor(ordered: boolean, fencing: boolean) {
    this.#processes = [0, 1].map(() => this.#world.process({ ordered }));
    this.#guards = this.#processes.map((process) =>
      process.guard((order, { signal }) => this.#handle(order, signal), {
        leaseTtlMs: LEASE_MS,
        waitMs: WAIT_MS,
        fencing,
      }),
    );
  }

  async take(step: Step): Promise<void> {
    const { clock } = this.#world;
    switch (step.do) {
      case "deliver":
        this.#call((guard) => guard({ id: "1", amount: step.amount * 10_000 + step.runMs }), step.process);
        return clock.advance(0);
      case "forget":
        // To forget what is in the place of a run's claim lets the next run begin, as it is meant to.
        if (this.#running.size > 0) return;
        this.#call((guard) => guard.forget({ id: "1" }), step.process);
        return clock.advance(0);
      case "spoil record":
        return this.#world.store().set(leaseKey("1"), step.bytes, step.ttlMs);
      case "spoil fence":
        return this.#world.store().set(messageKeys("ship", "1").fence, step.bytes, step.ttlMs);
      case "pass":
        return clock.advance(step.ms);
    }
  }

  /** Everybody comes to an end, and nothing stays behind. */
  async end(): Promise<string> {
    const { clock } = this.#world;
    await clock.advance(WAIT_MS + 30_000);
    const ended = Promise.all(this.#calls).then(() => "ended");
    assert.equal(await Promise.race([ended, clock.advance(0).then(() => "not ended")]), "ended");
    assert.equal(clock.timers, 0);
    for (const { cache } of this.#processes) assert.equal(cache.stats().watchedKeys, 0);
    const operations = this.#processes.reduce((sum, { cache }) => sum + cache.calls.length, 0);
    assert(operations <= OPERATIONS_PER_DELIVERY * this.#calls.size, `${operations} operations`);
    return this.#runs > 0 ? "run" : "not run";
  }

  async #handle(order: Order, signal: AbortSignal): Promise<string> {
    this.#runs += 1;
    for (const other of this.#running) if (other.aborted) this.#running.delete(other);
    assert.equal(this.#running.size, 0, "two run the handler");
    this.#running.add(signal);
    await new Promise<void>((resolve) => this.#world.clock.setTimer(resolve, (order.amount ?? 0) % 10_000));
    this.#running.delete(signal);
    return "shipped";
  }

  #call(act: (guard: Idempotent<Order, string>) => Promise<unknown>, process: number): void {
    const guard = this.#guards[process];
    assert(guard);
    const call = act(guard).catch((error: unknown) => {
      // What was recorded as the result of somebody else may be an error; all others have a type.
      if ((error as { replayed?: unknown }).replayed !== true && !(error instanceof HoldfastError)) throw error;
      if (error instanceof IdempotencyInProgressError)
        assert(error.retryAfterMs >= 0, `again in ${error.retryAfterMs}`);
    });
    call.catch(() => {});
    this.#calls.add(call);
  }
}
