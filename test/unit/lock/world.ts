import type { Cache } from "../../../src/cache/contract.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import type { LeaseEvent } from "../../../src/primitives/lease/events.ts";
import type { LockOptions } from "../../../src/primitives/lock/options.ts";
import { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

/** A store in virtual time, and clients of it: each with a cache of its own, as processes have. */
export class World {
  static #count = 0;
  readonly clock: ManualClock = new ManualClock();
  readonly #store: string = `world ${World.#count++}`;
  readonly events: LeaseEvent[] = [];

  /** The options every call in this world needs. */
  options(more: LockOptions = {}): LockOptions {
    return { clock: this.clock, observer: (event) => this.events.push(event), ...more };
  }

  /** A process's own view of the store, with faults on demand. */
  client({ ordered = true }: { ordered?: boolean } = {}): FaultyCache {
    return new FaultyCache(this.store(), { clock: this.clock, ordered });
  }

  /** The store itself, to look at and to break by hand. */
  store(): Cache {
    return createMemoryCache({ clock: this.clock, name: this.#store });
  }

  eventsOf<Type extends LeaseEvent["type"]>(type: Type): Extract<LeaseEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<LeaseEvent, { type: Type }> => event.type === type);
  }
}

/** Follows a promise without awaiting it. */
export function follow<T>(promise: Promise<T>): {
  readonly state: () => "pending" | "fulfilled" | "rejected";
  readonly value: () => T | undefined;
  readonly error: () => unknown;
} {
  let state: "pending" | "fulfilled" | "rejected" = "pending";
  let value: T | undefined;
  let error: unknown;
  promise.then(
    (result) => {
      state = "fulfilled";
      value = result;
    },
    (reason: unknown) => {
      state = "rejected";
      error = reason;
    },
  );
  return { state: () => state, value: () => value, error: () => error };
}
