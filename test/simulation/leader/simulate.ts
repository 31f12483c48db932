import type { Figures } from "../explore.ts";
import { inflict } from "../faults.ts";
import { checkAllDone, checkNothingLeft, heal, judge } from "../kernel/aftermath.ts";
import { type Process, Violation, World } from "../kernel/world.ts";
import { Oracle } from "../leases/oracle.ts";
import { isCalm, isLate, isMild, isSlow } from "../weather.ts";
import { Chronicle } from "./chronicle.ts";
import type { Candidacy, Schedule, Step } from "./schedule.ts";
import { Worker } from "./worker.ts";

/** Whoever still works or waits when the faults stop is through with it after this time. */
const PATIENCE_MS = 600_000;
const SLICE_MS = 5_000;
/** An observer that has missed every hint looks in this time. */
const LOOK_MS = 15_000;
/** Clean-up that goes on in the background gives up after half a minute. */
const QUIET_MS = 120_000;

/**
 * Runs a schedule; rejects with a `Violation` when something happens that must not.
 *
 * @param trace is given a line for everything that happens
 */
export function simulate(schedule: Schedule, trace?: (line: string) => void): Promise<Figures> {
  return judge(new Simulation(schedule, trace));
}

class Simulation {
  readonly oracle: Oracle;
  readonly #schedule: Schedule;
  readonly #world: World;
  readonly #chronicle: Chronicle;
  readonly #workers = new Map<Process, Worker>();
  #started = 0;

  constructor(schedule: Schedule, trace: ((line: string) => void) | undefined) {
    this.#schedule = schedule;
    this.#world = new World(schedule.setting);
    this.#world.trace = trace;
    this.oracle = new Oracle(this.#world, { lease: "leader:", fence: "leader-fence:" });
    this.oracle.calm = isCalm(schedule);
    this.oracle.mild = isMild(schedule);
    this.oracle.late = isLate(schedule);
    this.oracle.slow = isSlow(schedule);
    this.#chronicle = new Chronicle(this.#world, this.oracle, 2 * (schedule.ttlMs + schedule.setting.operationLimitMs));
    this.#world.check = () => this.oracle.check();
  }

  async run(): Promise<Figures> {
    const world = this.#world;
    let atMs = 0;
    for (const step of this.#schedule.steps) {
      atMs += step.afterMs;
      world.timeline.at(atMs, () => this.#begin(step));
    }
    await world.run(atMs);
    heal(world);
    await this.#untilWorkIsDone();
    checkAllDone(this.#workers.values());
    await this.#checkFree();
    await world.run(world.timeline.nowMs + LOOK_MS);
    this.#endObservations();
    await world.run(world.timeline.nowMs + QUIET_MS);
    await world.settle();
    this.#checkNothingLeft();
    return {
      schedules: 1,
      steps: this.#schedule.steps.length,
      happenings: world.happenings,
      virtualMs: world.timeline.nowMs,
      storeCalls: this.#processes().reduce((sum, { cache }) => sum + cache.calls, 0),
      grants: this.oracle.grants,
    };
  }

  #begin({ what }: Step): void {
    const world = this.#world;
    if ("fault" in what) {
      world.log(() => `FAULT    ${JSON.stringify(what)}`);
      if (what.fault === "jump") this.oracle.wallClocksRight = false;
      if (what.fault === "accident" && what.kind === "twice") this.oracle.doubling = true;
      return inflict(world, what, (killed) => this.#replace(killed));
    }
    const worker = this.#worker(world.process("close" in what ? what.close : what.process));
    const { machine, index } = worker.process;
    world.log(() => `START    in process ${index}: ${JSON.stringify(what)}`);
    if ("close" in what) machine.deliver(() => worker.close());
    else if ("observe" in what) machine.deliver(() => worker.observe(what));
    else this.#nominate(worker, what);
  }

  #nominate(worker: Worker, candidacy: Candidacy): void {
    const id = `candidate ${++this.#started}`;
    worker.process.machine.deliver(() => worker.nominate(id, candidacy));
  }

  #replace(killed: Process): void {
    const process = this.#world.newProcess(killed.index);
    this.#world.processes[killed.index] = process;
    this.oracle.observe(process);
  }

  #worker(process: Process): Worker {
    let worker = this.#workers.get(process);
    if (worker === undefined) {
      worker = new Worker(this.#world, this.oracle, this.#chronicle, process, this.#schedule.ttlMs);
      this.#workers.set(process, worker);
    }
    return worker;
  }

  /** Observers look as long as they are let, so not longer than need be. */
  async #untilWorkIsDone(): Promise<void> {
    const endMs = this.#world.timeline.nowMs + PATIENCE_MS;
    const isBusy = ({ process, running }: Worker): boolean => !process.machine.dead && running.size > 0;
    // At least once: a process that was paused has not begun yet what it was told to.
    do await this.#world.run(this.#world.timeline.nowMs + SLICE_MS);
    while ([...this.#workers.values()].some(isBusy) && this.#world.timeline.nowMs < endMs);
  }

  /** A newcomer leads as soon as a term that nobody serves any more has run out. */
  async #checkFree(): Promise<void> {
    const newcomer = this.#world.newProcess(this.#world.processes.length);
    this.#world.processes.push(newcomer);
    this.oracle.observe(newcomer);
    const { ttlMs } = this.#schedule;
    const grants = this.oracle.grants;
    for (const election of [0, 1] as const) {
      const candidacy: Candidacy = {
        candidacy: "campaign",
        process: newcomer.index,
        election,
        waitMs: ttlMs * 1.02 + 10_000,
        workMs: 1,
        terms: 1,
        abortAfterMs: undefined,
        resignAfterMs: undefined,
        stubborn: false,
        throws: false,
      };
      this.#world.timeline.after(0, () => this.#nominate(this.#worker(newcomer), candidacy));
    }
    await this.#world.run(this.#world.timeline.nowMs + ttlMs * 2 + 20_000);
    if (this.oracle.grants < grants + 2) throw new Violation("nobody can lead although nobody leads");
  }

  #endObservations(): void {
    for (const { process, observers } of this.#workers.values()) {
      for (const observer of process.machine.dead ? [] : observers) {
        observer.checkLast();
        this.#world.timeline.after(0, () => process.machine.deliver(() => observer.end()));
      }
    }
  }

  #checkNothingLeft(): void {
    checkNothingLeft(this.#world, this.#processes());
    for (const { process, observers } of this.#workers.values()) {
      if (!process.machine.dead && observers.size > 0) throw new Violation("an observer goes on after its end");
    }
    for (const key of this.#world.store.remaining().keys()) {
      if (!key.startsWith("leader-fence:")) throw new Violation(`${key} is left in the store`);
    }
  }

  #processes(): Process[] {
    return [...new Set([...this.#workers.keys(), ...this.#world.processes])];
  }
}
