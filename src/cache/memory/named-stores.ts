import type { Clock } from "../../runtime/clock.ts";
import { ConfigError } from "../errors.ts";
import { MemoryStore } from "./store.ts";

/** What belongs to a store, and so to every handle of it. */
export interface StoreOptions {
  readonly clock: Clock;
  readonly maxEntries: number;
}

/** A store, and how to let go of it. */
export interface StoreLease {
  readonly store: MemoryStore;
  release(): void;
}

interface NamedStore extends StoreOptions {
  readonly store: MemoryStore;
  handles: number;
}

/** The stores that have a name and at least one open handle. */
const stores = new Map<string, NamedStore>();

/**
 * Opens the store of that name, which is made for its first handle and forgotten
 * after its last. Options left out are those of the store as it is.
 */
export function openNamedStore(name: string, given: Partial<StoreOptions>, defaults: StoreOptions): StoreLease {
  const existing = stores.get(name);
  if (existing) checkSame(name, existing, given);
  const named = existing ?? makeStore({ ...defaults, ...given });
  stores.set(name, named);
  named.handles += 1;
  return {
    store: named.store,
    release: () => {
      named.handles -= 1;
      if (named.handles === 0) stores.delete(name);
    },
  };
}

function makeStore({ clock, maxEntries }: StoreOptions): NamedStore {
  return { clock, maxEntries, store: new MemoryStore(clock, maxEntries), handles: 0 };
}

function checkSame(name: string, existing: StoreOptions, given: Partial<StoreOptions>): void {
  if (given.maxEntries !== undefined && given.maxEntries !== existing.maxEntries) {
    throw new ConfigError(
      `the memory store "${name}" is open with maxEntries ${existing.maxEntries}, not ${given.maxEntries}: ` +
        "give every handle of a store the same limit, or only the first",
    );
  }
  if (given.clock !== undefined && given.clock !== existing.clock) {
    throw new ConfigError(`the memory store "${name}" is open on another clock`);
  }
}
