import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Message {
  readonly key: string;
  readonly workMs: number;
}

export interface Batch {
  readonly messages: readonly Message[];
  readonly leaseTtlMs: number;
}

export interface Report {
  readonly event: "ready" | "running" | "done";
  readonly key?: string;
  /** As JSON: what `outcome` gave for each message. */
  readonly results?: string;
}

export interface Result {
  readonly outcome: "executed" | "replayed";
  readonly value: { readonly key: string; readonly by: number; readonly at: string };
}

/** A process that handles messages. */
export class HandlerProcess {
  readonly #child: ChildProcess;
  /** The keys of the messages whose handler it has begun to run. */
  readonly running: string[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", ({ event, key }: Report) => {
      if (event === "running" && key !== undefined) this.running.push(key);
    });
  }

  static async start(url: string): Promise<HandlerProcess> {
    const script = fileURLToPath(new URL("./child.ts", import.meta.url));
    const child = fork(script, [url], { execArgv: ["--import", "tsx"] });
    const started = new HandlerProcess(child);
    await Promise.race([
      once(child, "message"),
      once(child, "exit").then(([code]) => Promise.reject(new Error(`the process ended with code ${code}`))),
    ]);
    return started;
  }

  /** Delivers all at once. */
  deliver(batch: Batch): Promise<Result[]> {
    return new Promise((resolve, reject) => {
      const onMessage = ({ event, results = "" }: Report): void => {
        if (event !== "done") return;
        this.#child.off("message", onMessage).off("exit", onExit);
        resolve(JSON.parse(results) as Result[]);
      };
      const onExit = (): void => reject(new Error("the process has ended"));
      this.#child.on("message", onMessage).on("exit", onExit);
      this.#child.send(batch);
    });
  }

  /** Ends the process: kindly, or as a crash does. */
  async end(how: "close" | "kill" = "close"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    if (how === "kill") this.#child.kill("SIGKILL");
    else this.#child.disconnect();
    await ended;
  }
}
