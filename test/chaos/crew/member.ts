import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProxy, type TcpProxy } from "../../support/proxy.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import { nowMs } from "../../support/shared-clock.ts";
import type { Delivery, Report, WorkerSettings } from "./settings.ts";

const PROGRAM = fileURLToPath(new URL("./program.ts", import.meta.url));

/** One life of a member: a process, from its start to its end. */
export interface Life {
  readonly name: string;
  readonly journal: string;
  endedAt: number;
  /** By whom it was ended: a signal of ours, or itself. */
  ended: string | undefined;
  /** What it wrote to its standard error. */
  complaints: string;
}

export interface MemberOptions {
  readonly name: string;
  readonly url: string;
  readonly servers: readonly RedisServer[];
  readonly directory: string;
  readonly ttlMs: number;
  readonly onReport: (report: Report, life: Life) => void;
}

/** A member of the crew: a worker that comes back after each of its deaths, and its wires to all servers. */
export class Member {
  readonly name: string;
  readonly lives: Life[] = [];
  /** By the port of the server. */
  readonly wires: ReadonlyMap<number, TcpProxy>;
  readonly #options: MemberOptions;
  #child: ChildProcess | undefined;
  #isReady = false;

  private constructor(options: MemberOptions, wires: ReadonlyMap<number, TcpProxy>) {
    this.name = options.name;
    this.wires = wires;
    this.#options = options;
  }

  static async start(options: MemberOptions): Promise<Member> {
    const wires = await Promise.all(
      options.servers.map(async (server) => [server.port, await startProxy(server)] as const),
    );
    const member = new Member(options, new Map(wires));
    member.spawn();
    return member;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  spawn(): void {
    const { url, directory, ttlMs, onReport } = this.#options;
    const name = `${this.name}.${this.lives.length}`;
    const journal = join(directory, name);
    const life: Life = { name, journal, endedAt: Number.POSITIVE_INFINITY, ended: undefined, complaints: "" };
    this.lives.push(life);
    const routes = Object.fromEntries([...this.wires].map(([port, wire]) => [port, wire.port]));
    const settings: WorkerSettings = { name, url, routes, journal, ttlMs };
    const child = fork(PROGRAM, [JSON.stringify(settings)], {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    child.stderr?.on("data", (chunk) => (life.complaints += chunk));
    child.on("message", (report: Report) => {
      if (report.type === "ready") this.#isReady = true;
      onReport(report, life);
    });
    child.once("exit", (code, signal) => {
      life.endedAt = nowMs();
      life.ended = signal ?? `code ${code}`;
      this.#isReady = false;
    });
    // A message that cannot be delivered any more: its process has ended.
    child.on("error", () => undefined);
    this.#child = child;
  }

  deliver(delivery: Delivery): void {
    if (this.#isReady && this.#child?.connected) this.#child.send(delivery, () => undefined);
  }

  /** Whether there was a process to send it to. */
  signal(name: NodeJS.Signals): boolean {
    return this.#child?.kill(name) ?? false;
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }

  async close(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
    await Promise.all([...this.wires.values()].map((wire) => wire.close()));
  }
}
