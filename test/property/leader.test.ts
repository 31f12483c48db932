/** What holds for elections under every schedule of faults, in virtual time. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { createMemoryCache } from "../../src/cache/memory/index.ts";
import { type Election, election } from "../../src/primitives/leader/election.ts";
import type { Term } from "../../src/primitives/leader/term.ts";
import { FaultyCache } from "../../src/testing/faulty-cache.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { collect } from "../unit/leader/candidates.ts";

const TTL_MS = 1_000;
const CANDIDATES = 3;

type Step = { readonly afterMs: number; readonly candidate: number } & (
  | { readonly what: "resign" | "withdraw" | "heal" }
  | { readonly what: "fault"; readonly fault: "error" | "hang" | "hang-reply" | "lost-reply" | "lost-request" }
  | { readonly what: "slow"; readonly delayMs: number }
);

const step: fc.Arbitrary<Step> = fc
  .record({
    afterMs: fc.oneof(fc.constantFrom(0, 1, 10), fc.nat({ max: 2 * TTL_MS })),
    candidate: fc.nat({ max: CANDIDATES - 1 }),
  })
  .chain((when) =>
    fc
      .oneof(
        fc.record({ what: fc.constantFrom("resign", "withdraw", "heal", "heal") }),
        fc.record({
          what: fc.constant("fault"),
          fault: fc.constantFrom("error", "hang", "hang-reply", "lost-reply", "lost-request"),
        }),
        fc.record({ what: fc.constant("slow"), delayMs: fc.nat({ max: TTL_MS }) }),
      )
      .map((what) => ({ ...when, ...what }) as Step),
  );

/** A candidate that campaigns for ever, with work that takes a while to stop, or does not stop by itself at all. */
class Candidate {
  readonly cache: FaultyCache;
  readonly election: Election;
  /** The terms whose work has not settled. */
  readonly working = new Set<Term>();
  readonly #clock: ManualClock;
  readonly #lingerMs: number;
  #withdrawal = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(world: World, ordered: boolean, lingerMs: number) {
    const { clock, store } = world;
    this.cache = new FaultyCache(createMemoryCache({ clock, name: store }), { clock, ordered });
    this.election = election(this.cache, "x", { clock, ttlMs: TTL_MS });
    this.election.on("elected", (term) => world.onElected(this, term));
    this.#clock = clock;
    this.#lingerMs = lingerMs;
    this.enter();
  }

  enter(): void {
    this.#withdrawal = new AbortController();
    // It rejects when it is withdrawn, or when it finished after its lease.
    const { signal } = this.#withdrawal;
    this.#running = this.election.run((term) => this.#work(term), { signal }).catch(() => {});
  }

  /** Withdraws for good and, when its work has ended, comes back. */
  withdraw(): void {
    if (this.#withdrawal.signal.aborted) return;
    this.#withdrawal.abort();
    void this.#running.then(() => this.enter());
  }

  async leave(): Promise<void> {
    this.#withdrawal.abort();
    await this.#running;
  }

  async #work(term: Term): Promise<void> {
    if (this.working.size > 0) throw new Error(`work of term ${term.fencingToken} began beside other work`);
    this.working.add(term);
    const { signal } = term;
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    await new Promise<void>((resolve) => void this.#clock.setTimer(resolve, this.#lingerMs));
    this.working.delete(term);
  }
}

class World {
  static #count = 0;
  readonly clock: ManualClock = new ManualClock();
  readonly store: string = `leaders ${World.#count++}`;
  readonly candidates: Candidate[] = [];
  readonly violations: string[] = [];
  #highest = 0;

  onElected(elected: Candidate, term: Term): void {
    if (term.fencingToken <= this.#highest) this.violations.push(`term ${term.fencingToken} after ${this.#highest}`);
    this.#highest = term.fencingToken;
    for (const other of this.candidates) {
      if (other === elected) continue;
      if (other.election.isLeader) this.violations.push(`two leaders when term ${term.fencingToken} began`);
      for (const { signal, fencingToken } of other.working) {
        if (!signal.aborted) this.violations.push(`the work of term ${fencingToken} had not seen its signal`);
      }
    }
  }
}

const scenario = fc.record({
  steps: fc.array(step, { maxLength: 30 }),
  ordered: fc.boolean(),
  lingers: fc.array(fc.constantFrom(0, 5, 400, 3_000), { minLength: CANDIDATES, maxLength: CANDIDATES }),
});

it("has one leader at a time, with rising terms, whose predecessor has seen its signal; and one again in the end", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ steps, ordered, lingers }) => {
      const world = new World();
      const { clock, candidates, violations } = world;
      const end = new AbortController();
      const observer = election(createMemoryCache({ clock, name: world.store }), "x", { clock });
      const { terms, ended } = collect(observer.observe({ signal: end.signal }));
      for (const lingerMs of lingers) candidates.push(new Candidate(world, ordered, lingerMs));
      for (const next of steps) {
        await clock.advance(next.afterMs);
        act(candidates[next.candidate] as Candidate, next);
      }
      for (const { cache } of candidates) cache.heal();
      await clock.advance(10 * TTL_MS);
      const leading = candidates.flatMap((candidate) => candidate.election.term ?? []);
      expect(leading).toHaveLength(1);
      expect(terms.at(-1)).toBe(leading[0]?.fencingToken);
      expect(terms).toEqual([...new Set(terms)].sort((a, b) => a - b));

      const left = Promise.all(candidates.map((candidate) => candidate.leave()));
      end.abort();
      await clock.advance(5 * TTL_MS);
      await Promise.all([left, ended]);
      await clock.advance(60_000);
      expect(clock.timers).toBe(0);
      expect(violations).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

function act(candidate: Candidate, step: Step): void {
  switch (step.what) {
    case "resign":
      return void candidate.election.resign();
    case "withdraw":
      return candidate.withdraw();
    case "heal":
      return candidate.cache.heal();
    case "fault":
      return void candidate.cache.inject({ fault: step.fault });
    case "slow":
      return void candidate.cache.inject({ fault: "delay", delayMs: step.delayMs });
  }
}
