import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Order {
  readonly act: "campaign" | "resign" | "crowd" | "warm-up";
  readonly count?: number;
}

export interface Report {
  readonly event: "ready" | "elected" | "resigned";
  readonly atMs?: number;
  readonly wallMs?: number;
  readonly token?: number;
}

/** A process in which candidates do what they are told. */
export class CandidateProcess {
  readonly #child: ChildProcess;
  readonly #reports: Report[] = [];
  #onReport: () => void = () => {};

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (report: Report) => {
      this.#reports.push(report);
      this.#onReport();
    });
  }

  static async start(url: string, election: string, ttlMs: number): Promise<CandidateProcess> {
    const program = fileURLToPath(new URL("./candidate-process.ts", import.meta.url));
    const child = fork(program, [url, election, String(ttlMs)], { execArgv: ["--import", "tsx"] });
    const started = new CandidateProcess(child);
    await started.next("ready");
    return started;
  }

  tell(act: Order["act"], count?: number): void {
    this.#child.send({ act, ...(count === undefined ? {} : { count }) } satisfies Order);
  }

  /** The next report of this kind, in the order in which they came. */
  async next(event: Report["event"]): Promise<Required<Report>> {
    for (;;) {
      const at = this.#reports.findIndex((report) => report.event === event);
      if (at >= 0) return this.#reports.splice(at, 1)[0] as Required<Report>;
      await new Promise<void>((resolve) => (this.#onReport = resolve));
    }
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

/** The middle one of several numbers. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
