import type { Cache } from "../../cache/contract.ts";
import { BusyMap } from "../../runtime/busy-map.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Line } from "./line.ts";
import type { LeaseKeys } from "./names.ts";

const lines = new WeakMap<Cache, BusyMap<Line>>();

/**
 * Resolves when what lines of this cache do in the background is done: attempts whose caller has left, and what these
 * take back. For whoever is about to close the cache, after it has ended the waits.
 */
export async function settleLines(cache: Cache): Promise<void> {
  await Promise.all((lines.get(cache)?.values() ?? []).map((line) => line.settled()));
}

/** The line for a lease in this process; it is forgotten as soon as nobody waits for or holds the lease. */
export function lineFor(cache: Cache, clock: Clock, keys: LeaseKeys): Line {
  let byKey = lines.get(cache);
  if (byKey === undefined) {
    byKey = new BusyMap();
    lines.set(cache, byKey);
  }
  const known = byKey.get(keys.lease);
  if (known !== undefined) return known;
  const line: Line = new Line(cache, clock, keys, () => byKey.delete(keys.lease, line));
  byKey.set(keys.lease, line);
  return line;
}
