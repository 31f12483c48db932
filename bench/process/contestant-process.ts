import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pinClient } from "./pinning.ts";

/** What a process is told at its start. */
export interface Assignment {
  /** The contestant's file and the name of its variant. */
  readonly contestant: string;
  readonly variant: string;
  readonly url: string;
}

export interface Call {
  readonly id: number;
  readonly workload: string;
  readonly role: string;
  readonly params: object;
}

/** The first answer has the id 0 and says that the contestant is open. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** No case takes nearly as long. */
const PATIENCE_MS = 90_000;
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

/** A process in which one contestant is open and does what it is asked to. */
export class ContestantProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
  #calls = 0;

  /** @param index of the process among those that work at once; decides its core */
  static async start(assignment: Assignment, index = 0): Promise<ContestantProcess> {
    const started = new ContestantProcess(assignment);
    await started.#answer(0);
    pinClient(started.#child.pid, index);
    return started;
  }

  private constructor(assignment: Assignment) {
    const args = ["--expose-gc", "--import", import.meta.resolve("tsx"), MAIN, JSON.stringify(assignment)];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (answer: Answer) => this.#settle(answer));
    this.#child.once("exit", (code, signal) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`The process of ${assignment.contestant} (${assignment.variant}) ended: ${code ?? signal}`));
      }
      this.#waiting.clear();
    });
  }

  /** Has a role of a workload played; resolves to what it gives. */
  async call<Result>(workload: string, role: string, params: object): Promise<Result> {
    this.#calls += 1;
    const call: Call = { id: this.#calls, workload, role, params };
    const impatience = setTimeout(
      () => this.#settle({ id: call.id, error: `no answer from ${workload}, ${role}, for ${PATIENCE_MS} ms` }),
      PATIENCE_MS,
    );
    this.#child.send(call);
    return this.#answer<Result>(call.id).finally(() => clearTimeout(impatience));
  }

  /** Ends the process as a crash would. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await exited;
  }

  #answer<Result>(id: number): Promise<Result> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #settle({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result as never);
    else waiting?.reject(new Error(error));
  }
}
