import type { Figures } from "../explore.ts";
import { inflict } from "../faults.ts";
import { checkAllDone, checkNothingLeft, heal, judge } from "../kernel/aftermath.ts";
import { type Process, Violation, World } from "../kernel/world.ts";
import { Oracle } from "../leases/oracle.ts";
import { isCalm, isLate, isMild, isSlow } from "../weather.ts";
import { Gates } from "./gates.ts";
import type { Schedule, Step, Task } from "./schedule.ts";
import { Worker } from "./worker.ts";

/** Whoever still works or waits when the faults stop is through with it after this time. */
const PATIENCE_MS = 600_000;
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
  readonly #schedule: Schedule;
  readonly #world: World;
  readonly oracle: Oracle;
  readonly #gates: Gates;
  readonly #workers = new Map<Process, Worker>();
  #tasks = 0;

  constructor(schedule: Schedule, trace: ((line: string) => void) | undefined) {
    this.#schedule = schedule;
    this.#world = new World(schedule.setting);
    this.#world.trace = trace;
    this.oracle = new Oracle(this.#world, { lease: "lock:", fence: "fence:" });
    this.#gates = new Gates((what) => this.oracle.fail(what));
    this.oracle.onLoss = (key) => this.#gates.onLoss(key);
    this.oracle.calm = isCalm(schedule);
    this.oracle.mild = isMild(schedule);
    this.oracle.late = isLate(schedule);
    this.oracle.slow = isSlow(schedule);
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
    await world.run(world.timeline.nowMs + PATIENCE_MS);
    checkAllDone(this.#workers.values());
    await this.#checkFree();
    await world.run(world.timeline.nowMs + QUIET_MS);
    await world.settle();
    this.#checkNothingLeft();
    this.#checkThrift();
    return {
      schedules: 1,
      steps: this.#schedule.steps.length,
      happenings: world.happenings,
      virtualMs: world.timeline.nowMs,
      storeCalls: this.#storeCalls,
      grants: this.oracle.grants,
    };
  }

  #begin({ what }: Step): void {
    const world = this.#world;
    if ("task" in what) return this.#start(world.process(what.process), what);
    if ("close" in what) {
      const worker = this.#worker(world.process(what.close));
      world.log(() => `CLOSE    process ${worker.process.index}`);
      return worker.process.machine.deliver(() => worker.close());
    }
    world.log(() => `FAULT    ${JSON.stringify(what)}`);
    if (what.fault === "jump") this.oracle.wallClocksRight = false;
    if (what.fault === "accident" && what.kind === "twice") this.oracle.doubling = true;
    inflict(world, what, (killed) => this.#replace(killed));
  }

  #start(process: Process, task: Task): void {
    const worker = this.#worker(process);
    const id = `task ${++this.#tasks}`;
    this.#world.log(() => `START    ${id} in process ${process.index}: ${JSON.stringify(task)}`);
    process.machine.deliver(() => worker.start(id, task));
  }

  #replace(killed: Process): void {
    const process = this.#world.newProcess(killed.index);
    this.#world.processes[killed.index] = process;
    this.oracle.observe(process);
  }

  #worker(process: Process): Worker {
    let worker = this.#workers.get(process);
    if (worker === undefined) {
      worker = new Worker(this.#world, this.oracle, this.#gates, process);
      this.#workers.set(process, worker);
    }
    return worker;
  }

  /** A newcomer gets each lock as soon as leases that nobody holds any more have run out. */
  async #checkFree(): Promise<void> {
    const newcomer = this.#world.newProcess(this.#world.processes.length);
    this.#world.processes.push(newcomer);
    this.oracle.observe(newcomer);
    const ttlMs = this.#longestTtl();
    for (const key of [0, 1] as const) {
      const task: Task = {
        task: "acquire",
        process: newcomer.index,
        key,
        ttlMs: 1_000,
        waitMs: ttlMs * 1.02 + 10_000,
        workMs: 1,
        abortAfterMs: undefined,
        extendToMs: [],
        stubborn: false,
        hasty: false,
        renew: true,
        fencing: true,
        maxHoldMs: undefined,
        throws: false,
      };
      this.#world.timeline.after(0, () => this.#start(newcomer, task));
    }
    const grants = this.oracle.grants;
    await this.#world.run(this.#world.timeline.nowMs + ttlMs * 2 + 20_000);
    if (this.oracle.grants < grants + 2) throw new Violation("a lock stays taken although nobody holds it");
  }

  #checkNothingLeft(): void {
    checkNothingLeft(this.#world, this.#processes());
    for (const key of this.#world.store.remaining().keys()) {
      if (key.startsWith("lock:")) throw new Violation(`${key} is left in the store`);
    }
  }

  /** Where nothing goes wrong, a lock costs a few operations, and a renewal one. */
  #checkThrift(): void {
    if (!this.oracle.calm) return;
    const tasks = this.#schedule.steps.flatMap(({ what }) => ("task" in what ? [what] : []));
    const renewals = tasks.reduce((sum, { workMs, ttlMs }) => sum + (workMs / ttlMs) * 3, 0);
    const fair = 10 + 6 * tasks.length + renewals;
    if (this.#storeCalls > 4 * fair) throw new Violation(`${this.#storeCalls} store operations where ${fair} would do`);
  }

  get #storeCalls(): number {
    return this.#processes().reduce((sum, { cache }) => sum + cache.calls, 0);
  }

  #processes(): Process[] {
    return [...new Set([...this.#workers.keys(), ...this.#world.processes])];
  }

  #longestTtl(): number {
    const ttls = this.#schedule.steps.flatMap(({ what }) => ("task" in what ? [what.ttlMs, ...what.extendToMs] : []));
    return Math.max(1_000, ...ttls);
  }
}
