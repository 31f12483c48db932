import { ClosedError } from "../../../src/cache/errors.ts";
import { election } from "../../../src/primitives/leader/election.ts";
import { Scope } from "../../../src/primitives/lease/scope.ts";
import type { Process, World } from "../kernel/world.ts";
import type { Oracle } from "../leases/oracle.ts";
import { Candidate } from "./candidate.ts";
import type { Chronicle, Witness } from "./chronicle.ts";
import type { Candidacy, Observation } from "./schedule.ts";
import type { Workplace } from "./workplace.ts";

const NAMES = ["a", "b"] as const;
/** Where nothing goes wrong, what a process does in the background is done by then. */
const CLEAN_UP_MS = 300;

/** What one process does. */
export class Worker implements Workplace {
  readonly process: Process;
  readonly world: World;
  readonly oracle: Oracle;
  readonly chronicle: Chronicle;
  readonly ttlMs: number;
  /** Candidates that have not settled. */
  readonly running: Set<string> = new Set();
  readonly observers: Set<Observer> = new Set();
  scope: Scope = new Scope();
  #observations = 0;
  #idleSinceMs = 0;

  constructor(world: World, oracle: Oracle, chronicle: Chronicle, process: Process, ttlMs: number) {
    this.world = world;
    this.oracle = oracle;
    this.chronicle = chronicle;
    this.process = process;
    this.ttlMs = ttlMs;
  }

  /** Closes the coordinator; the next tasks have another one. */
  close(): void {
    const closing = this.scope;
    this.scope = new Scope();
    for (const observer of this.observers) observer.isClosed();
    void closing.close(new ClosedError("closed"));
  }

  nominate(id: string, candidacy: Candidacy): void {
    this.running.add(id);
    const candidate = new Candidate(this, id, NAMES[candidacy.election], candidacy);
    void candidate.run().finally(() => {
      this.running.delete(id);
      this.#idle();
    });
  }

  observe({ observe: way, election: index, forMs }: Observation): void {
    const name = NAMES[index];
    const who = `observer ${this.process.index}.${++this.#observations}`;
    const observer = new Observer(this, this.chronicle.witness(who, name), way);
    this.observers.add(observer);
    const timer = this.process.machine.setTimer(() => void observer.end(), forMs ?? Number.POSITIVE_INFINITY);
    void observer.run().finally(() => {
      this.process.machine.clearTimer(timer);
      this.observers.delete(observer);
      this.#idle();
    });
  }

  #idle(): void {
    const { timeline } = this.world;
    const sinceMs = timeline.nowMs;
    this.#idleSinceMs = sinceMs;
    if (this.oracle.calm) timeline.after(CLEAN_UP_MS, () => this.#checkIdle(sinceMs));
  }

  #checkIdle(sinceMs: number): void {
    const { index, machine } = this.process;
    if (this.running.size + this.observers.size > 0 || this.#idleSinceMs !== sinceMs) return;
    if (machine.timers > 0) this.oracle.fail(`process ${index} has left a timer`);
  }
}

/** Follows one election until it is told to stop, or its coordinator is closed. */
export class Observer {
  readonly #worker: Worker;
  readonly #witness: Witness;
  readonly #way: Observation["observe"];
  readonly #scope: Scope;
  readonly #end = new AbortController();

  constructor(worker: Worker, witness: Witness, way: Observation["observe"]) {
    this.#worker = worker;
    this.#witness = witness;
    this.#way = way;
    this.#scope = worker.scope;
  }

  async run(): Promise<void> {
    const { process, oracle } = this.#worker;
    const options = { clock: process.machine, scope: this.#scope };
    const followed = election(process.cache, this.#witness.election, options);
    const { signal } = this.#end;
    try {
      if (this.#way === "changed") return await this.#listen(followed);
      for await (const leader of followed.observe({ signal })) this.#witness.told(leader);
      if (!signal.aborted && !this.#scope.closed) oracle.fail(`${this.#witness.who} was told that there is no more`);
    } catch (error) {
      oracle.fail(`${this.#witness.who} failed with ${error}`);
    } finally {
      this.#witness.ended = true;
    }
  }

  /** Its coordinator is being closed. */
  isClosed(): void {
    this.#witness.ended = true;
  }

  end(): void {
    this.#end.abort();
  }

  checkLast(): void {
    if (!this.#scope.closed) this.#worker.chronicle.checkLast(this.#witness);
  }

  async #listen(followed: ReturnType<typeof election>): Promise<void> {
    followed.on("changed", (leader) => this.#witness.told(leader));
    await new Promise((resolve) => this.#end.signal.addEventListener("abort", resolve, { once: true }));
    followed.removeAllListeners("changed");
  }
}
