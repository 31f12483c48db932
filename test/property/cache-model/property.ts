import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import type { Cache } from "../../../src/cache/contract.ts";
import { Call, Elapse, EndWatch, type Model, type Real, Reopen, Watch } from "./commands.ts";
import type { Operation } from "./model.ts";

/** A store that is to agree with the model. */
export interface ModelledStore {
  /** Opens a client; every call opens another client of the same store. */
  open(): Promise<Cache>;
  /** Lets time pass, and tells the time; exactly, or only within `toleranceMs`. */
  elapse(ms: number): Promise<void>;
  nowMs(): number;
  readonly toleranceMs: number;
}

/** A server: real time, and expiry in whole milliseconds of a clock that is not ours. */
export const realTime: Omit<ModelledStore, "open"> = {
  elapse: (ms) => setTimeout(ms),
  nowMs: () => performance.now(),
  toleranceMs: 5,
};

const CLIENTS = 3;
const HOUR = 3_600_000;

const key = fc.constantFrom("{a}", "{a}", "{a}b", "c");
const client = fc.nat({ max: CLIENTS - 1 });

/** Few, so that comparisons often match, and alike, so that a careless one matches too often. */
const value = fc
  .constantFrom("a", "a", "a", "a", "", "\0", "\0\0", "ab", "\xff", "\xff\xfe")
  .map((text) => Buffer.from(text, "latin1"));
const bytes = value.map((buffer) => new Uint8Array(buffer));
const orAbsent = fc.option(bytes, { nil: null, freq: 3 });

function operations(ttlMs: fc.Arbitrary<number>): fc.Arbitrary<Operation> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.record({ name: fc.constantFrom("get", "get", "delete"), key }) },
    {
      weight: 2,
      arbitrary: fc.record({ name: fc.constantFrom("set", "getOrSet", "getOrSet"), key, value: bytes, ttlMs }),
    },
    {
      weight: 4,
      arbitrary: fc
        .record({
          name: fc.constant("compareAndSet" as const),
          key,
          expected: orAbsent,
          next: orAbsent,
          ttlMs,
          announce: fc.constantFrom("watchers", "watchers", "none"),
        })
        .filter(({ expected, next }) => expected !== null || next !== null),
    },
  ) as fc.Arbitrary<Operation>;
}

/** TTLs and pauses meet often, and to the millisecond. */
function commands(): fc.Arbitrary<fc.AsyncCommand<Model, Real>>[] {
  const ttlMs = fc.oneof(
    fc.integer({ min: 1, max: 60 }),
    fc.constantFrom(0.2, 19.5, 30, HOUR, Number.POSITIVE_INFINITY),
  );
  const call = fc
    .tuple(client, fc.array(operations(ttlMs), { minLength: 1, maxLength: 4 }))
    .map((args) => new Call(...args));
  const elapse = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(1, 19, 20, 30)).map((ms) => new Elapse(ms));
  const watch = fc.tuple(client, key).map((args) => new Watch(...args));
  const rest = fc.oneof(
    fc.constant(new EndWatch()),
    client.map((i) => new Reopen(i)),
  );
  return [call, call, call, elapse, watch, rest];
}

/**
 * Checks that a store and the model agree: random sequences of operations,
 * pauses, watches and closings, from several clients on few keys.
 */
export async function agreesWithModel(store: ModelledStore, parameters: fc.Parameters<unknown>): Promise<void> {
  const property = fc.asyncProperty(fc.commands(commands(), { maxCommands: 40, size: "max" }), (sequence) =>
    run(store, sequence),
  );
  await fc.assert(property, parameters as fc.Parameters<[Iterable<fc.AsyncCommand<Model, Real>>]>);
}

async function run(store: ModelledStore, sequence: Iterable<fc.AsyncCommand<Model, Real>>): Promise<void> {
  const real = await setUp(store);
  const model: Model = { held: new Map(), watches: new Map(), nextWatch: 1 };
  try {
    await fc.asyncModelRun(() => ({ model, real }), sequence);
    await checkAtTheEnd(model, real);
  } finally {
    await Promise.all(real.clients.map((cache) => cache.close()));
  }
}

async function setUp(store: ModelledStore): Promise<Real> {
  const run = randomUUID();
  return {
    clients: await Promise.all(Array.from({ length: CLIENTS }, () => store.open())),
    watches: new Map(),
    endedWatches: [],
    keyOf: (name) => `${name}:${run}`,
    open: () => store.open(),
    elapse: (ms) => store.elapse(ms),
    nowMs: () => store.nowMs(),
    toleranceMs: store.toleranceMs,
  };
}

/** Every watch that was to be called has been, sooner or later, and none after its end. */
async function checkAtTheEnd(model: Model, real: Real): Promise<void> {
  const startedMs = performance.now();
  for (const [id, { expectedCalls, key }] of model.watches) {
    while (expectedCalls > 0 && real.watches.get(id)?.calls === 0) {
      assert.ok(performance.now() - startedMs < 5_000, `watch ${id} of ${key} was never called`);
      await real.elapse(1);
    }
  }
  for (const { watch, callsAtEnd } of real.endedWatches) {
    assert.equal(watch.calls, callsAtEnd, "a watch was called after its end");
  }
}
