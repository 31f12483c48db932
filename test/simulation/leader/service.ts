import type { Term } from "../../../src/primitives/leader/term.ts";
import type { Machine } from "../kernel/machine.ts";
import type { Holding } from "../leases/holding.ts";
import type { Workplace } from "./workplace.ts";

/** A lease is over by every clock after this share of it, and its timers. */
const OVERRUN_SHARE = 0.02;
const OVERRUN_GRACE_MS = 8;

/**
 * One term of a candidate, and the order in which it may be told of it:
 *
 *     elected ──▶ begins ──▶ (lost) ──▶ (overran) ──▶ ends ──▶ (failed)
 */
export class Service {
  readonly term: Term;
  readonly holding: Holding;
  readonly #worker: Workplace;
  readonly #candidate: string;
  #state: "elected" | "working" | "done" = "elected";
  #error: unknown;
  #lostAtMs: number | undefined;
  #hasOverrun = false;
  #hasFailed = false;
  #ledToTheEnd: boolean | undefined;

  constructor(worker: Workplace, candidate: string, term: Term, holding: Holding) {
    this.#worker = worker;
    this.#candidate = candidate;
    this.term = term;
    this.holding = holding;
  }

  get result(): string {
    return `${this.#candidate} in term ${this.term.fencingToken}`;
  }

  get isWorking(): boolean {
    return this.#state === "working";
  }

  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Whether it led when its work had ended, or does now. */
  get ledToTheEnd(): boolean {
    return this.#ledToTheEnd ?? (this.term.isLeader() && !this.term.signal.aborted);
  }

  begins(): void {
    if (this.#state !== "elected") this.#fail("has begun to work twice");
    this.#state = "working";
  }

  ends(error: unknown): void {
    this.#ledToTheEnd = this.ledToTheEnd;
    this.#state = "done";
    this.#error = error;
  }

  /** Its work has ended, of which `run` knows how long it may go on. */
  checkOverrun(): void {
    if (this.#wasOverrun && !this.#hasOverrun) this.#fail("was not told of its overrun");
  }

  lost(): void {
    if (this.#lostAtMs !== undefined) this.#fail("was told twice that it is lost");
    this.#lostAtMs = this.#machine.monotonicMs();
    if (!this.term.signal.aborted) this.#fail("was told that it is lost before its signal");
    if (this.term.isLeader()) this.#fail("is lost and leads");
  }

  overran(): void {
    if (this.#hasOverrun) this.#fail("was told twice of its overrun");
    if (this.#state !== "working") this.#fail("was told of an overrun although no work is running");
    if (this.term.isLeader()) this.#fail("was told of an overrun although it leads");
    this.#hasOverrun = true;
  }

  failed(error: unknown): void {
    if (this.#hasFailed) this.#fail("was told twice that its work failed");
    if (this.#state !== "done" || error !== this.#error) this.#fail(`was told that its work failed with ${error}`);
    if (this.ledToTheEnd) this.#fail("was told of an error that is the caller's to hear");
    this.#hasFailed = true;
  }

  /** Whether its work went on, undisturbed, for so long that its lease was over by every clock. */
  get #wasOverrun(): boolean {
    const lostAtMs = this.#lostAtMs;
    if (lostAtMs === undefined) return false;
    const graceMs = this.#worker.ttlMs * OVERRUN_SHARE + OVERRUN_GRACE_MS;
    return this.#machine.disturbedAtMs < lostAtMs && this.#machine.monotonicMs() - lostAtMs > graceMs;
  }

  get #machine(): Machine {
    return this.#worker.process.machine;
  }

  #fail(what: string): void {
    this.#worker.oracle.fail(`${this.#candidate}, term ${this.term.fencingToken}: ${what}`);
  }
}
