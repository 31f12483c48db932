/**
 * How the processes that want the same lease take turns, without knowing of each other.
 *
 * Inside a process a lease is passed on directly, which others cannot see. So a
 * turn is bounded: it has as many hand-overs as tokens were reserved, and begins
 * none after {@link TURN_MS}. Then the lease is released for everybody, and
 * whoever had it lately looks a few times whether somebody else has come. A server
 * tells its watchers of a release in one fixed order, so without that courtesy
 * the same process would win every race.
 */

import { TOKENS_PER_TURN } from "./fence.ts";

const TURN_MS = 50;
/** How many times to look, by how many turns of others there have been since one's own. */
const LOOKS_OF_COURTESY: readonly number[] = [3, 2, 1];

export class Turns {
  #startedMs = 0;
  #passes = 0;
  #othersSince = Number.POSITIVE_INFINITY;

  /** This process has taken the lease from the store. */
  start(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#passes = 0;
    this.#othersSince = 0;
  }

  /** Somebody else was seen to have the lease. */
  sawAnother(): void {
    this.#othersSince += 1;
  }

  /** Whether the lease may be passed on inside this process, once more. */
  mayPass(nowMs: number): boolean {
    this.#passes += 1;
    return this.#passes < TOKENS_PER_TURN && nowMs - this.#startedMs < TURN_MS;
  }

  /** How many times to look whether somebody else has come, before the lease is tried for. */
  get looks(): number {
    return LOOKS_OF_COURTESY[this.#othersSince] ?? 0;
  }
}
