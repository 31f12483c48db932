import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

/** Tests that are to be run after a file was changed. */
export interface Stage {
  readonly changed: string;
  /** Another file that was put back to what it was. */
  readonly restored?: string;
  /** Test files, or folders of them. */
  readonly tests: readonly string[];
}

/** What caught a mutant. */
export interface Caught {
  readonly test: string;
  readonly file: string;
}

/** A mutant that spins or hangs is caught by this. */
const LIMIT_MS = 240_000;

/** A process with a copy of the tree, which stays warm from mutant to mutant unless one makes it hang. */
export class Laboratory {
  readonly #copy: string;
  #child: ChildProcess | undefined;
  #restored: string | undefined;

  constructor(copy: string) {
    this.#copy = copy;
  }

  /** A file was changed since the last run. */
  changed(file: string): void {
    this.#restored = file;
  }

  run(stage: Omit<Stage, "restored">): Promise<Caught | undefined> {
    this.#child ??= this.#start();
    const child = this.#child;
    const restored = this.#restored;
    this.#restored = undefined;
    return new Promise((done) => {
      const settle = (caught: Caught | undefined): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        done(caught);
      };
      const giveUp = (why: string): void => {
        this.close();
        settle({ test: why, file: stage.tests.join(" ") });
      };
      const timer = setTimeout(() => giveUp("the test run does not end"), LIMIT_MS);
      child.once("exit", () => giveUp("the test run broke down"));
      child.once("message", (caught) => settle((caught as { caught?: Caught }).caught));
      child.send({ ...stage, ...(restored === undefined ? {} : { restored }) } satisfies Stage);
    });
  }

  /** Ends it, and whatever it has started. */
  close(): void {
    const { pid } = this.#child ?? {};
    this.#child?.removeAllListeners();
    this.#child = undefined;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  #start(): ChildProcess {
    const script = join(this.#copy, "scripts", "mutants.ts");
    const env = { ...process.env, HOLDFAST_FIRST_FAILURE: "1" };
    // A group of its own, so that it can be ended together with the processes of its tests.
    return fork(script, [], { cwd: this.#copy, env, execArgv: process.execArgv, detached: true, stdio: "ignore" });
  }
}
