import type { Cache } from "../../../src/cache/contract.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import type { IdempotentHandler } from "../../../src/primitives/idempotency/context.ts";
import type { IdempotencyEvent } from "../../../src/primitives/idempotency/events.ts";
import { type Idempotent, idempotent } from "../../../src/primitives/idempotency/idempotent.ts";
import { messageKeys } from "../../../src/primitives/idempotency/names.ts";
import type { IdempotentOptions } from "../../../src/primitives/idempotency/options.ts";
import { decodeRecord, type MessageRecord } from "../../../src/primitives/idempotency/record.ts";
import { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

export interface Order {
  readonly id: string;
  readonly amount?: number;
}

/** A store in virtual time, and processes that handle orders from it. */
export class World {
  static #count = 0;
  readonly clock: ManualClock = new ManualClock();
  readonly #store: string = `idempotency ${World.#count++}`;

  /** A process: a cache of its own, with faults on demand. */
  process({ ordered = true }: { ordered?: boolean } = {}): Process {
    const cache = new FaultyCache(this.store(), { clock: this.clock, ordered });
    return new Process(this, cache);
  }

  /** The store itself, to look at and to break by hand. */
  store(): Cache {
    return createMemoryCache({ clock: this.clock, name: this.#store });
  }

  /** What the store holds for an order. */
  async recordOf(id: string): Promise<MessageRecord | undefined> {
    const bytes = await this.store().get(leaseKey(id));
    return bytes && decodeRecord(bytes);
  }
}

export class Process {
  readonly cache: FaultyCache;
  readonly clock: ManualClock;
  readonly events: IdempotencyEvent[] = [];
  onEvent: (event: IdempotencyEvent) => void = () => {};

  constructor(world: World, cache: FaultyCache) {
    this.cache = cache;
    this.clock = world.clock;
  }

  guard<Result>(
    handler: IdempotentHandler<Order, Result>,
    options: Partial<IdempotentOptions<Order>> = {},
  ): Idempotent<Order, Result> {
    return idempotent(this.cache, handler, {
      name: "ship",
      key: (order) => order.id,
      clock: this.clock,
      observer: (event) => {
        this.events.push(event);
        this.onEvent(event);
      },
      ...options,
    });
  }

  eventsOf<Type extends IdempotencyEvent["type"]>(type: Type): Extract<IdempotencyEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<IdempotencyEvent, { type: Type }> => event.type === type);
  }
}

/** The key in the store. */
export function leaseKey(id: string): string {
  return messageKeys("ship", id).lease;
}

/** A handler that the test lets go on. */
export class Bench<Result = string> {
  readonly runs: { finish(result: Result): void; fail(error: unknown): void; signal: AbortSignal; attempt: number }[] =
    [];

  readonly handler: IdempotentHandler<Order, Result> = (_order, { signal, attempt }) =>
    new Promise<Result>((finish, fail) => this.runs.push({ finish, fail, signal, attempt }));

  /** The last one. */
  get run(): Bench<Result>["runs"][number] {
    const run = this.runs.at(-1);
    if (run === undefined) throw new Error("The handler has not been called");
    return run;
  }
}
