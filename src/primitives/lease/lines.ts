import type { Cache } from "../../cache/contract.ts";
import { BusyMap } from "../../runtime/busy-map.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Line } from "./line.ts";
import type { LeaseKeys } from "./names.ts";

/** The lines of one cache in this process. */
interface Lines {
  readonly byKey: BusyMap<Line>;
  readonly forget: (keys: LeaseKeys, line: Line) => void;
}

const linesOf = new WeakMap<Cache, Lines>();

/**
 * Resolves when what lines of this cache do in the background is done: attempts whose caller has left, and what these
 * take back. For whoever is about to close the cache, after it has ended the waits.
 */
export async function settleLines(cache: Cache): Promise<void> {
  await Promise.all((linesOf.get(cache)?.byKey.values() ?? []).map((line) => line.settled()));
}

/** The line for a lease in this process; it is forgotten as soon as nobody waits for or holds the lease. */
export function lineFor(cache: Cache, clock: Clock, keys: LeaseKeys): Line {
  const { byKey, forget } = linesOf.get(cache) ?? newLines(cache);
  const known = byKey.get(keys.lease);
  if (known !== undefined) return known;
  const line = new Line(cache, clock, keys, forget);
  byKey.set(keys.lease, line);
  return line;
}

function newLines(cache: Cache): Lines {
  const byKey = new BusyMap<Line>();
  const lines: Lines = { byKey, forget: (keys, line) => byKey.delete(keys.lease, line) };
  linesOf.set(cache, lines);
  return lines;
}
