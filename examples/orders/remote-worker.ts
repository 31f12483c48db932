import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Delivery } from "./deliveries.ts";
import type { Handled, Worker, WorkerSettings } from "./worker.ts";

const PROGRAM: string = fileURLToPath(new URL("./worker-process.ts", import.meta.url));

/** What worker-process.ts answers to each message: what came of it, or what went wrong. */
export interface Reply {
  readonly handled?: Handled;
  readonly error?: string;
  /** No answer yet: it is in the middle of an order. */
  readonly booking?: true;
}

/** Starts a worker in a process of its own. */
export async function startRemoteWorker(settings: WorkerSettings): Promise<RemoteWorker> {
  const worker = new RemoteWorker(settings.name);
  try {
    await worker.ask(settings);
    return worker;
  } catch (error) {
    await worker.stop();
    throw error;
  }
}

export class RemoteWorker implements Worker {
  readonly name: string;
  // Detached from the terminal: Ctrl-C is for the parent, which lets its workers finish.
  readonly #process: ChildProcess = fork(PROGRAM, { detached: true });

  constructor(name: string) {
    this.name = name;
  }

  async handle(delivery: Delivery): Promise<Handled> {
    const { handled } = await this.ask(delivery);
    if (handled === undefined) throw new Error("no answer");
    return handled;
  }

  /** Kills the process in the middle of this order. Gives what came of it if it had nothing to do for it. */
  async dieDuring(delivery: Delivery): Promise<Handled | "killed"> {
    const kill = ({ booking }: Reply): void => {
      if (booking) this.#process.kill("SIGKILL");
    };
    this.#process.on("message", kill);
    try {
      return await this.handle(delivery);
    } catch (error) {
      if (this.#process.signalCode === "SIGKILL") return "killed";
      throw error;
    } finally {
      this.#process.off("message", kill);
    }
  }

  /** Lets the process finish what it does, and waits for its end. */
  async stop(): Promise<void> {
    const { exitCode, signalCode, connected } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const exit = once(this.#process, "exit");
    if (connected) this.#process.disconnect();
    await exit;
  }

  /** Sends a message and waits for the answer, or for the end of the process. */
  ask(message: WorkerSettings | Delivery): Promise<Reply> {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      const settle = (reply: Reply): void => {
        if (reply.booking) return;
        child.off("message", settle).off("exit", ended);
        if (reply.error === undefined) resolve(reply);
        else reject(new Error(reply.error));
      };
      const ended = (code: number | null, signal: string | null): void => {
        settle({ error: `the process of ${this.name} ended with ${signal ?? `exit code ${code}`}` });
      };
      child.on("message", settle).on("exit", ended);
      child.send(message, (error) => {
        if (error) settle({ error: error.message });
      });
    });
  }
}
