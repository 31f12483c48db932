import { getEventListeners } from "node:events";
import { ClosedError, isStoreFault } from "../../../src/cache/errors.ts";
import { type Election, election } from "../../../src/primitives/leader/election.ts";
import { CampaignTimeoutError, LeadershipLostError } from "../../../src/primitives/leader/errors.ts";
import type { Term } from "../../../src/primitives/leader/term.ts";
import type { Scope } from "../../../src/primitives/lease/scope.ts";
import { sleep } from "../../../src/runtime/clock.ts";
import { elapsedMs, type Instant, now } from "../../../src/runtime/instant.ts";
import type { Holding } from "../leases/holding.ts";
import type { Candidacy } from "./schedule.ts";
import { Service } from "./service.ts";
import type { Workplace } from "./workplace.ts";

const SLICES = 3;
/** Timers run up to a millisecond early or late. */
const TIMER_ERROR_MS = 1.5;

/** One candidate, from its nomination to its end, and what is checked about how it fares. */
export class Candidate {
  readonly #worker: Workplace;
  readonly #id: string;
  readonly #name: string;
  readonly #candidacy: Candidacy;
  readonly #scope: Scope;
  readonly #election: Election;
  readonly #abort = new AbortController();
  /** What its work throws. */
  readonly #failure = new Error("the work failed");
  readonly #startedAt: Instant;
  #abortedMs = Number.NaN;
  /** The tenure that it seeks, or has. */
  #holding: Holding;
  #service: Service | undefined;
  #served = 0;
  /** Whether somebody has told it to stop leading. */
  #isTold = false;

  constructor(worker: Workplace, id: string, name: string, candidacy: Candidacy) {
    this.#worker = worker;
    this.#id = id;
    this.#name = name;
    this.#candidacy = candidacy;
    this.#scope = worker.scope;
    this.#startedAt = now(worker.process.machine);
    this.#holding = this.#seek();
    this.#election = election(worker.process.cache, name, {
      ttlMs: worker.ttlMs,
      metadata: id,
      holder: `process ${worker.process.index}`,
      clock: worker.process.machine,
      scope: worker.scope,
      onOverrun: (term) => this.#serviceOf(term, "overran")?.overran(),
    });
    this.#election.on("elected", (term) => this.#elected(term));
    this.#election.on("lost", ({ term, reason }) => this.#lost(term, reason));
    this.#election.on("workFailed", ({ term, error }) => this.#serviceOf(term, "failed")?.failed(error));
  }

  async run(): Promise<void> {
    const { machine } = this.#worker.process;
    const { abortAfterMs, resignAfterMs, candidacy } = this.#candidacy;
    const later = (ms: number | undefined, act: () => void): unknown =>
      machine.setTimer(act, ms ?? Number.POSITIVE_INFINITY);
    const timers = [later(abortAfterMs, () => this.#withdraw()), later(resignAfterMs, () => void this.#resign())];
    try {
      await (candidacy === "run" ? this.#run() : this.#campaign());
    } catch (error) {
      this.#worker.world.log(() => `REJECTED ${this.#id}: ${error}`);
      this.#checkError(error);
    }
    for (const timer of timers) machine.clearTimer(timer);
    this.#holding.ended = true;
    this.#holding.settledAtMs = this.#worker.world.timeline.nowMs;
    if (this.#service?.isWorking) this.#fail("has settled while its work was running");
    if (this.#election.isLeader) this.#fail("leads although it has settled");
    const listeners = getEventListeners(this.#abort.signal, "abort").length;
    if (listeners > 0) this.#fail(`has left ${listeners} listeners on its caller's signal`);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const result = await this.#election.run((term) => this.#work(term), { signal });
    const service = this.#service;
    if (this.#candidacy.throws) this.#fail("threw an error that got lost");
    if (result !== service?.result) this.#fail(`was given ${result} instead of what its last work returned`);
    if (!service?.ledToTheEnd && !this.#isWithdrawn) this.#fail("succeeded although its term was over before its work");
  }

  async #campaign(): Promise<void> {
    const { waitMs } = this.#candidacy;
    const term = await this.#election.campaign({ waitMs, signal: this.#abort.signal });
    if (this.#abort.signal.aborted && waitMs > 0) this.#fail("won its campaign after it had given up");
    await this.#work(term).catch(() => {});
    const [resigned, again] = await Promise.all([term.resign(), term.resign()]);
    if (resigned !== again) this.#fail("was told two different things by two calls of resign");
    const ledToTheEnd = this.#service?.ledToTheEnd === true;
    // Whoever else has it resign, or closes its coordinator, does so before.
    const wrong = resigned ? !ledToTheEnd && !this.#isTold && !this.#scope.closed : ledToTheEnd && !this.#mayBeUnsure;
    if (wrong) this.#fail(`was told ${resigned} by resign, but it had ${ledToTheEnd ? "" : "not "}led to the end`);
    if (term.isLeader()) this.#fail("leads although it has resigned");
  }

  async #work(term: Term): Promise<string> {
    const { machine } = this.#worker.process;
    const { workMs, stubborn, terms, throws, candidacy } = this.#candidacy;
    const service = this.#serviceOf(term, "began to work in");
    if (service === undefined) return "";
    service.begins();
    for (let slice = 0; slice < SLICES; slice++) {
      await sleep(machine, workMs / SLICES, stubborn ? undefined : term.signal);
      if (!stubborn && term.signal.aborted) break;
      this.#write(term);
    }
    if (candidacy === "run" && service.ledToTheEnd && ++this.#served < terms) await term.resign();
    service.ends(throws ? this.#failure : undefined);
    this.#worker.oracle.gaveBack(this.#holding);
    if (candidacy === "run") {
      service.checkOverrun();
      this.#holding = this.#seek();
    }
    if (throws) throw this.#failure;
    return service.result;
  }

  /** Writes to what only a leader may write to, over a network of its own. */
  #write(term: Term): void {
    const { process, world, oracle } = this.#worker;
    const holding = this.#holding;
    world.timeline.after(process.network.delayMs(), () => oracle.write(holding, term.fencingToken));
  }

  #seek(): Holding {
    const { oracle, process } = this.#worker;
    return oracle.begins(this.#id, this.#name, process, { maxHoldMs: undefined, isExtended: false });
  }

  #elected(term: Term): void {
    if (this.#service !== undefined && !this.#service.isDone) this.#fail("was elected before its last term was done");
    const isFirst = this.#service === undefined;
    this.#isTold = this.#abort.signal.aborted;
    const holding = this.#holding;
    this.#service = new Service(this.#worker, this.#id, term, holding);
    this.#worker.oracle.granted(holding, { signal: term.signal, isHeld: () => term.isLeader() }, term.fencingToken);
    if (isFirst && this.#waits) this.#worker.oracle.checkSoon(holding);
    this.#worker.chronicle.elected(this.#name, term.fencingToken, () => holding.signalled || holding.ended);
    if (!this.#election.isLeader && term.isLeader()) this.#fail("was elected and does not lead");
  }

  #lost(term: Term, reason: string): void {
    this.#worker.world.log(() => `LOST     ${this.#holding}: ${reason}`);
    const service = this.#serviceOf(term, "lost");
    service?.lost();
    if (service && reason === "taken") this.#worker.oracle.foundTaken(service.holding);
    if (this.#worker.oracle.mild && !this.#isTold && !this.#scope.closed) {
      this.#fail(`has lost its term (${reason}) although too little went wrong`);
    }
  }

  /** What is known of a term that the library tells of. */
  #serviceOf(term: Term, what: string): Service | undefined {
    if (this.#service?.term === term) return this.#service;
    this.#fail(`${what} term ${term.fencingToken}, but is in ${this.#service?.term.fencingToken}`);
    return undefined;
  }

  #withdraw(): void {
    this.#isTold = true;
    this.#abortedMs = this.#worker.process.machine.monotonicMs();
    this.#abort.abort(new Error("gave up"));
  }

  async #resign(): Promise<void> {
    const { term } = this.#election;
    if (term !== undefined) this.#isTold = true;
    const led = await this.#election.resign();
    if (led !== (term !== undefined)) this.#fail(`was told by resign that it had ${led ? "" : "not "}led`);
    if (term?.isLeader()) this.#fail("leads although it was made to resign");
  }

  #checkError(error: unknown): void {
    if (error === this.#failure) return this.#checkFailure();
    if (error instanceof CampaignTimeoutError) return this.#checkTimeout();
    if (error === this.#abort.signal.reason) return this.#checkWithdrawal();
    if (error instanceof LeadershipLostError && this.#isWithdrawn) return this.#checkLoss(error);
    const isKnown = error instanceof ClosedError ? this.#scope.closed : !this.#waits && isStoreFault(error);
    if (!isKnown) this.#fail(`failed with ${error}`);
  }

  #checkFailure(): void {
    if (!this.#service?.ledToTheEnd && !this.#isWithdrawn) this.#fail("has failed instead of being a candidate again");
  }

  #checkWithdrawal(): void {
    if (this.#waits && this.#service === undefined) this.#checkPrompt(this.#abortedMs, "its caller gave up");
  }

  /** It was withdrawn while it led, and its work outlived its lease. */
  #checkLoss(error: LeadershipLostError): void {
    if (error.result !== this.#service?.result) this.#fail("lost the result of its work");
    if (this.#service?.ledToTheEnd && !this.#mayBeUnsure)
      this.#fail(`led to the end, then failed with ${error.message}`);
  }

  #checkTimeout(): void {
    const { waitMs } = this.#candidacy;
    const { machine } = this.#worker.process;
    const waitedMs = elapsedMs(machine, this.#startedAt);
    if (this.#candidacy.candidacy === "run") this.#fail("has timed out");
    if (waitedMs < waitMs - TIMER_ERROR_MS) this.#fail(`waited only ${waitedMs} of ${waitMs} ms`);
    if (this.#waits) this.#checkPrompt(this.#startedAt.monotonicMs + waitMs, "its wait was over");
  }

  #checkPrompt(dueMs: number, why: string): void {
    const { machine } = this.#worker.process;
    const lateMs = machine.monotonicMs() - dueMs;
    if (lateMs > TIMER_ERROR_MS && machine.disturbedAtMs < dueMs) this.#fail(`went on for ${lateMs} ms after ${why}`);
  }

  /** Whether it waits: then no fault of the store may end that. */
  get #waits(): boolean {
    const { candidacy, waitMs } = this.#candidacy;
    return candidacy === "run" || waitMs > 0;
  }

  get #isWithdrawn(): boolean {
    return this.#abort.signal.aborted || this.#scope.closed !== undefined;
  }

  /** Whether the answer to a release may look as if the term had been lost. */
  get #mayBeUnsure(): boolean {
    const { oracle } = this.#worker;
    const holding = this.#service?.holding;
    return oracle.doubling || holding === undefined || holding.tainted || holding.sureForMs < 0;
  }

  #fail(what: string): void {
    this.#worker.oracle.fail(`${this.#id} ${what}`);
  }
}
