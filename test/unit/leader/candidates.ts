import { type Election, election } from "../../../src/primitives/leader/election.ts";
import type { LeaderInfo } from "../../../src/primitives/leader/leader-info.ts";
import type { ElectionOptions } from "../../../src/primitives/leader/options.ts";
import type { Term } from "../../../src/primitives/leader/term.ts";
import type { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { World } from "../lock/world.ts";

export interface Candidate {
  readonly election: Election;
  /** This candidate's own way to the store. */
  readonly cache: FaultyCache;
}

/** Candidates in one election, each with a way to the store of its own, as if in a process of its own. */
export class Candidates extends World {
  candidate(holder: string, options: ElectionOptions = {}): Candidate {
    const cache = this.client();
    return { cache, election: this.electionOver(cache, holder, options) };
  }

  electionOver(cache: FaultyCache, holder: string, options: ElectionOptions = {}): Election {
    const observer: ElectionOptions["observer"] = (event) => this.events.push(event);
    return election(cache, "reports", { holder, clock: this.clock, observer, ...options });
  }
}

/** Work that lasts until its signal aborts, as most leaders' does. */
export function untilAborted({ signal }: Term): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Collects what an observation yields, by the holders' names, until it ends. */
export function collect(changes: AsyncIterable<LeaderInfo | null>): {
  readonly seen: readonly (string | null)[];
  readonly terms: readonly number[];
  readonly ended: Promise<void>;
} {
  const seen: (string | null)[] = [];
  const terms: number[] = [];
  const read = async (): Promise<void> => {
    for await (const leader of changes) {
      seen.push(leader?.holder ?? null);
      if (leader) terms.push(leader.fencingToken);
    }
  };
  return { seen, terms, ended: read() };
}
