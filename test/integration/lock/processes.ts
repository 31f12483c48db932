import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Request {
  readonly id: number;
  readonly act: "acquire" | "release" | "isHeld" | "contend" | "stop" | "close";
  readonly key: string;
  readonly ttlMs?: number;
  readonly waitMs?: number;
  readonly waiters?: number;
  readonly workMs?: number;
}

/** One holder's time with the lock. */
export interface Tenure {
  readonly waiter: string;
  readonly token: number;
  readonly enteredMs: number;
  readonly leftMs: number;
}

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly event?: "ready" | "aborted";
  readonly atMs?: number;
}

/** A process that takes locks on demand. */
export class LockProcess {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  /** When the signals of this process's locks aborted. */
  readonly abortedAtMs: number[] = [];
  #nextId = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message: Message) => this.#onMessage(message));
    child.once("exit", () => {
      for (const { reject } of this.#answers.values()) reject(new Error("the process has ended"));
    });
  }

  static async start(url: string): Promise<LockProcess> {
    const script = fileURLToPath(new URL("./child.ts", import.meta.url));
    const child = fork(script, [url], { execArgv: ["--import", "tsx"] });
    const ready = new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`the process ended with code ${code}`)));
    });
    const started = new LockProcess(child);
    await ready;
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  ask<T>(act: Request["act"], request: Omit<Request, "id" | "act"> = { key: "" }): Promise<T> {
    const id = this.#nextId++;
    const answer = new Promise<T>((resolve, reject) => {
      this.#answers.set(id, { resolve: (value) => resolve(value as T), reject });
    });
    this.#child.send({ ...request, id, act });
    return answer;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends the process: kindly, or as a crash does. */
  async end(how: "close" | "kill" = "close"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    if (how === "kill") this.#child.kill("SIGKILL");
    else this.ask("close").catch(() => {});
    await ended;
  }

  #onMessage({ id, result, error, event, atMs }: Message): void {
    if (event === "aborted" && atMs !== undefined) this.abortedAtMs.push(atMs);
    if (id === undefined) return;
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(error));
  }
}
