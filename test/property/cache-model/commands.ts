import assert from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";
import type { AsyncCommand } from "fast-check";
import type { Cache, Unwatch } from "../../../src/cache/contract.ts";
import { apply, type Held, type Moment, type Operation, possible } from "./model.ts";

/** The store under test, seen through several clients. */
export interface Real {
  readonly clients: Cache[];
  readonly watches: Map<number, RealWatch>;
  readonly endedWatches: EndedWatch[];
  /** Turns a key of the model into one that no other run uses. */
  keyOf(key: string): string;
  open(): Promise<Cache>;
  elapse(ms: number): Promise<void>;
  nowMs(): number;
  /** How far the store's idea of time may be from `nowMs`; 0: time is exact, and so are the watches. */
  readonly toleranceMs: number;
}

export interface RealWatch {
  calls: number;
  readonly unwatch: Unwatch;
}

interface EndedWatch {
  readonly watch: RealWatch;
  readonly callsAtEnd: number;
}

export interface Model {
  readonly held: Map<string, Held>;
  readonly watches: Map<number, ModelWatch>;
  nextWatch: number;
}

export interface ModelWatch {
  readonly client: number;
  readonly key: string;
  expectedCalls: number;
}

type CacheCommand = AsyncCommand<Model, Real>;

/** One client calls several operations without awaiting each: they take effect in order, if it says so. */
export class Call implements CacheCommand {
  readonly client: number;
  readonly operations: readonly Operation[];

  constructor(client: number, operations: readonly Operation[]) {
    this.client = client;
    this.operations = operations;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const client = clientOf(real, this.client);
    const batches = client.ordered ? [this.operations] : this.operations.map((operation) => [operation]);
    for (const batch of batches) {
      const from = real.nowMs() - real.toleranceMs;
      const results = await Promise.all(
        batch.map((operation) => perform(client, operation, real.keyOf(operation.key))),
      );
      const at = { from, to: real.nowMs() + real.toleranceMs };
      batch.forEach((operation, i) => {
        observe(model, operation, at, results[i]);
      });
    }
    checkWatches(model, real);
  }

  toString(): string {
    return `client ${this.client}: ${this.operations.map((operation) => inspect(operation, { breakLength: 200 })).join(", ")}`;
  }
}

/** Time passes. */
export class Elapse implements CacheCommand {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    await real.elapse(this.ms);
    const now = real.nowMs();
    for (const [key, held] of model.held) {
      if (now - real.toleranceMs < held.expires.to) continue;
      model.held.delete(key);
      // Elsewhere a watcher may miss the expiry of a value that it has not seen set.
      if (real.toleranceMs === 0) tell(model, key);
    }
    checkWatches(model, real);
  }

  toString(): string {
    return `${this.ms} ms pass`;
  }
}

export class Watch implements CacheCommand {
  readonly client: number;
  readonly key: string;

  constructor(client: number, key: string) {
    this.client = client;
    this.key = key;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const id = model.nextWatch++;
    let calls = 0;
    const unwatch = await clientOf(real, this.client).watch(real.keyOf(this.key), () => {
      calls += 1;
    });
    real.watches.set(id, {
      get calls() {
        return calls;
      },
      unwatch,
    });
    model.watches.set(id, { client: this.client, key: this.key, expectedCalls: 0 });
  }

  toString(): string {
    return `client ${this.client} watches ${this.key}`;
  }
}

/** Ends the oldest watch. */
export class EndWatch implements CacheCommand {
  check(model: Readonly<Model>): boolean {
    return model.watches.size > 0;
  }

  async run(model: Model, real: Real): Promise<void> {
    for (const id of [...model.watches.keys()].slice(0, 1)) {
      await watchOf(real, id).unwatch();
      forget(model, real, id);
    }
  }

  toString(): string {
    return "the oldest watch ends";
  }
}

/** A client closes, which ends its watches, and another takes its place. */
export class Reopen implements CacheCommand {
  readonly client: number;

  constructor(client: number) {
    this.client = client;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const old = clientOf(real, this.client);
    real.clients[this.client] = await real.open();
    await old.close();
    for (const [id, watch] of model.watches) {
      if (watch.client === this.client) forget(model, real, id);
    }
  }

  toString(): string {
    return `client ${this.client} closes and opens again`;
  }
}

function perform(client: Cache, operation: Operation, key: string): Promise<unknown> {
  switch (operation.name) {
    case "get":
      return client.get(key);
    case "delete":
      return client.delete(key);
    case "set":
      return client.set(key, operation.value, operation.ttlMs);
    case "getOrSet":
      return client.getOrSet(key, operation.value, operation.ttlMs);
    case "compareAndSet": {
      const { expected, next, ttlMs, announce } = operation;
      return client.compareAndSet(key, expected, next, ttlMs, { announce });
    }
  }
}

/** Brings the model up to date; fails when the store's answer is none that the contract allows. */
function observe(model: Model, operation: Operation, at: Moment, result: unknown): void {
  const before = model.held.get(operation.key) ?? null;
  const outcomes = possible(before, at).map((held) => apply(operation, held, at));
  // Where both outcomes have this result, the first is the one that leaves both open.
  const outcome = outcomes.find((candidate) => isDeepStrictEqual(candidate.result, result));
  if (outcome === undefined) assert.deepStrictEqual(result, outcomes[0]?.result, `the answer to ${inspect(operation)}`);
  else {
    if (outcome.next) model.held.set(operation.key, outcome.next);
    else model.held.delete(operation.key);
    if (outcome.announced) tell(model, operation.key);
  }
}

function tell(model: Model, key: string): void {
  for (const watch of model.watches.values()) {
    if (watch.key === key) watch.expectedCalls += 1;
  }
}

function checkWatches(model: Model, real: Real): void {
  if (real.toleranceMs > 0) return;
  for (const [id, watch] of model.watches) {
    assert.equal(watchOf(real, id).calls, watch.expectedCalls, `calls of watch ${id} of ${watch.key}`);
  }
}

function forget(model: Model, real: Real, id: number): void {
  const watch = watchOf(real, id);
  real.endedWatches.push({ watch, callsAtEnd: watch.calls });
  real.watches.delete(id);
  model.watches.delete(id);
}

function clientOf(real: Real, client: number): Cache {
  const cache = real.clients[client];
  assert.ok(cache);
  return cache;
}

function watchOf(real: Real, id: number): RealWatch {
  const watch = real.watches.get(id);
  assert.ok(watch);
  return watch;
}
