import type { Operation } from "../linearizability/checker.ts";
import type { CacheInput, CacheOutput } from "../linearizability/models.ts";
import type { Entry, Kind, Marks, Pages, RunEnd } from "./journal.ts";
import type { Strike } from "./nemeses/nemesis.ts";
import type { Effect, Write } from "./world.ts";

export type CacheOperation = Operation<CacheInput, CacheOutput>;

/** The time during which somebody held something, as far as can be told from what was written down. */
export interface Tenure {
  /** Process and number: `worker-1.0#17`. */
  readonly by: string;
  readonly kind: Kind;
  /** Of the lock, the election or the message. */
  readonly name: string;
  readonly token: number;
  readonly askedAt: number;
  /** The first moment at which it was known to be held. */
  readonly from: number;
  /** The last moment at which it still counted as held, by its holder's clocks. */
  readonly heldUntil: number;
  /** The last moment at which its signal had not aborted, although the event loop was running. */
  readonly quietUntil: number;
  readonly abortedAt: number | undefined;
  /** When nobody relied on it any more: the work was over, or the process dead. */
  readonly overAt: number;
}

/** The last moment at which its holder relied on it, whichever way it looked. */
export function lastRelied({ heldUntil, quietUntil }: Tenure): number {
  return Math.max(heldUntil, quietUntil);
}

/** How a run ended. */
export interface Settlement {
  readonly at: number;
  readonly how: RunEnd;
}

export interface Result {
  readonly at: number;
  readonly message: string;
  readonly run: string;
  readonly isReplayed: boolean;
}

/** All that is known of a chaos run. */
export interface Evidence {
  readonly operations: readonly CacheOperation[];
  readonly tenures: readonly Tenure[];
  readonly settlements: ReadonlyMap<string, Settlement>;
  readonly results: readonly Result[];
  /** Processes that were killed. */
  readonly killed: ReadonlySet<string>;
  readonly writes: readonly Write[];
  readonly effects: readonly Effect[];
  readonly strikes: readonly Strike[];
  /** What went wrong outside of the journals: processes that crashed, things left behind. */
  readonly mishaps: readonly string[];
}

/** What one process wrote down, and when it ended. */
export interface Testimony extends Pages {
  readonly name: string;
  readonly endedAt: number;
  readonly wasKilled: boolean;
}

export type Circumstances = Pick<Evidence, "writes" | "effects" | "strikes" | "mishaps">;

/** Puts together what the processes wrote down, each for itself. */
export function gather(testimonies: readonly Testimony[], circumstances: Circumstances): Evidence {
  const codes = new Set(testimonies.flatMap(({ entries }) => entries.filter(is("failure")).map(({ code }) => code)));
  const strange = [...codes].filter((code) => !NOTHING_DONE.has(code) && !UNKNOWN.has(code));
  return {
    ...circumstances,
    mishaps: [...circumstances.mishaps, ...strange.map((code) => `an operation failed with ${code}`)],
    operations: testimonies.flatMap(operationsOf),
    tenures: testimonies.flatMap(tenuresOf),
    settlements: new Map(testimonies.flatMap(settlementsOf)),
    killed: new Set(testimonies.filter(({ wasKilled }) => wasKilled).map(({ name }) => name)),
    results: testimonies.flatMap(({ entries }) => entries.filter(is("result"))),
  };
}

/** Failures that say that nothing was executed: these operations are left out, so that an effect of theirs would show. */
const NOTHING_DONE = new Set(["ERR_CONNECTION", "ERR_OPERATION", "ERR_CLOSED"]);

const UNKNOWN = new Set(["ERR_CACHE_TIMEOUT", "ERR_CONNECTION_LOST"]);

function operationsOf({ entries }: Testimony): CacheOperation[] {
  const answers = byId(entries.filter(is("answer")));
  const failures = byId(entries.filter(is("failure")));
  return entries.filter(is("call")).flatMap(({ id, at: calledAt, input }) => {
    const answer = answers.get(id);
    if (NOTHING_DONE.has(failures.get(id)?.code ?? "")) return [];
    return [{ input, output: answer?.output, calledAt, returnedAt: answer?.at ?? Number.NaN }];
  });
}

function tenuresOf({ name: process, entries, marks, endedAt }: Testimony): Tenure[] {
  const asks = byId(entries.filter(is("ask")));
  const overs = byId(entries.filter(is("over")));
  const aborts = byId(entries.filter(is("abort")));
  return entries.filter(is("grant")).flatMap(({ id, at: from, token }) => {
    const ask = asks.get(id);
    if (ask === undefined) return [];
    const { heldUntil = 0, quietUntil = 0 }: Partial<Marks> = marks.get(id) ?? {};
    return {
      by: `${process}#${id}`,
      kind: ask.kind,
      name: ask.name,
      token,
      askedAt: ask.at,
      from,
      heldUntil: Math.max(from, heldUntil),
      quietUntil: Math.max(from, quietUntil),
      abortedAt: aborts.get(id)?.at,
      overAt: overs.get(id)?.at ?? endedAt,
    };
  });
}

function settlementsOf({ name, entries }: Testimony): [run: string, settlement: Settlement][] {
  return entries.filter(is("settled")).map(({ id, at, how }) => [`${name}#${id}`, { at, how }]);
}

function is<T extends Entry["type"]>(type: T): (entry: Entry) => entry is Extract<Entry, { type: T }> {
  return (entry): entry is Extract<Entry, { type: T }> => entry.type === type;
}

function byId<T extends { readonly id: number }>(entries: readonly T[]): Map<number, T> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}
