import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProxy, type TcpProxy } from "../support/proxy.ts";
import type { CandidateSettings } from "./candidate.ts";

const PROGRAM = fileURLToPath(new URL("./candidate.ts", import.meta.url));

/** A member of the crew: a candidate that comes back under another name after each of its deaths, and its wire. */
export class Member {
  readonly wire: TcpProxy;
  /** The files in which its incarnations write down their terms. */
  readonly journals: string[] = [];
  readonly #name: string;
  readonly #directory: string;
  readonly #settings: Pick<CandidateSettings, "election" | "ttlMs">;
  #child: ChildProcess | undefined;
  /** Whether a fault is being done to it. */
  isBusy = false;
  /** Ends that nobody brought about. */
  readonly crashes: string[] = [];

  private constructor(
    wire: TcpProxy,
    name: string,
    directory: string,
    settings: Pick<CandidateSettings, "election" | "ttlMs">,
  ) {
    this.wire = wire;
    this.#name = name;
    this.#directory = directory;
    this.#settings = settings;
  }

  static async start(
    server: { readonly host: string; readonly port: number },
    name: string,
    directory: string,
    settings: Pick<CandidateSettings, "election" | "ttlMs">,
  ): Promise<Member> {
    const member = new Member(await startProxy(server), name, directory, settings);
    member.spawn();
    return member;
  }

  spawn(): void {
    const holder = `${this.#name}.${this.journals.length}`;
    const journal = join(this.#directory, holder);
    this.journals.push(journal);
    const settings: CandidateSettings = { ...this.#settings, url: this.wire.url, holder, journal };
    this.#child = fork(PROGRAM, [JSON.stringify(settings)], { execArgv: ["--import", "tsx"] });
    this.#child.once("exit", (code) => {
      // It is always ended by a signal.
      if (code !== null) this.crashes.push(`${holder} ended by itself, with code ${code}`);
    });
  }

  /** Whether a holder of this name is this member, in any of its lives. */
  isCalled(holder: string): boolean {
    return holder.startsWith(`${this.#name}.`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Resolves to how the process ended. */
  async ended(): Promise<string> {
    const child = this.#child;
    if (child === undefined) return "never started";
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.signalCode ?? `code ${child.exitCode}`;
  }

  async close(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
    await this.wire.close();
  }
}
