import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findServer, type ServerBinary } from "./find-server.ts";
import { freePort } from "./free-port.ts";
import { disconnect, Redis } from "./ioredis.ts";
import { runningServers } from "./running-servers.ts";
import { watchOver } from "./watchdog.ts";

export interface ServerOptions {
  /** The server's binary; by default the one that the set-up of the test run found. */
  readonly binary?: ServerBinary;
  /** Directives of redis.conf: `{ maxmemory: "1mb", "maxmemory-policy": "noeviction" }`. */
  readonly config?: Readonly<Record<string, string | number>>;
  /** Further lines of redis.conf, for what may stand there several times: `user app on >pw ~* +@read`. */
  readonly lines?: readonly string[];
  readonly sentinel?: boolean;
}

/** Starts a private server on 127.0.0.1, on a free port and in a directory of its own, and waits until it answers. */
export async function startServer(options: ServerOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? (await findServer());
  const directory = await mkdtemp(join(tmpdir(), "holdfast-"));
  for (let attempt = 1; ; attempt++) {
    const server = new RedisServer(binary, await freePort(), directory, options);
    try {
      await writeFile(server.configFile, configuration(server, directory, options));
      await server.start();
      return server;
    } catch (error) {
      const portWasTaken = String(error).includes("Address already in use");
      if (portWasTaken && attempt < 10) continue;
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }
}

function configuration(server: RedisServer, directory: string, { config, lines, sentinel }: ServerOptions): string {
  const directives: Record<string, string | number> = {
    port: server.port,
    bind: server.host,
    dir: directory,
    daemonize: "no",
    ...(sentinel ? {} : { unixsocket: server.socketPath, save: "", appendonly: "no" }),
    ...config,
  };
  const fromConfig = Object.entries(directives).map(([name, value]) => `${name} ${value === "" ? '""' : value}`);
  return [...fromConfig, ...(lines ?? []), ""].join("\n");
}

/** A server process. Without persistence unless the configuration asks for it. */
export class RedisServer {
  readonly host: string = "127.0.0.1";
  readonly port: number;
  readonly binary: ServerBinary;
  readonly #directory: string;
  readonly #options: ServerOptions;
  #process: ChildProcess | undefined;
  #output = "";
  #release: () => void = () => undefined;

  /** Use {@link startServer}. */
  constructor(binary: ServerBinary, port: number, directory: string, options: ServerOptions) {
    this.binary = binary;
    this.port = port;
    this.#directory = directory;
    this.#options = options;
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  /** The Unix socket on which the server listens as well. */
  get socketPath(): string {
    return join(this.#directory, "redis.sock");
  }

  get configFile(): string {
    return join(this.#directory, "server.conf");
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`The server on port ${this.port} is not running`);
    return pid;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** What the server has written to its log since it was started. */
  get log(): string {
    return this.#output;
  }

  /** Starts the process again after `stop` or `kill`, with what it finds on disk. */
  async start(): Promise<void> {
    this.#output = "";
    const mode = this.#options.sentinel ? ["--sentinel"] : [];
    const child = spawn(this.binary.path, [this.configFile, ...mode], {
      cwd: this.#directory,
      stdio: ["ignore", "pipe", "pipe"],
    });
    await this.#untilReady(child);
    this.#process = child;
    this.#release = watchOver(this.pid, this.#directory);
    child.once("exit", () => this.#forget(child));
    child.unref();
    unrefStream(child.stdout);
    unrefStream(child.stderr);
    runningServers.add(this);
  }

  /** Ends the process for good and removes its directory. Idempotent. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Ends the process as a crash would (SIGKILL). `start` or `restart` brings it back. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.ref();
    child.kill("SIGKILL");
    await exited;
  }

  /** Stops the process in its tracks (SIGSTOP): connections stay open, nothing is answered. */
  pause(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  /** Lets a paused process go on. */
  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** Crashes and starts again on the same port, with all data (saved just before) or with none. */
  async restart({ keepData }: { readonly keepData: boolean }): Promise<void> {
    if (keepData && this.isRunning) await this.command("SAVE");
    await this.kill();
    if (!keepData) await this.#removeData();
    await this.start();
  }

  /** Sends one command over a connection of its own. */
  async command(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const client = this.client();
    try {
      return await client.call(name, ...args);
    } finally {
      disconnect(client);
    }
  }

  /** A plain client, for the test to look at the store behind the library's back. The caller disconnects it. */
  client(): Redis {
    const password = this.#options.config?.["requirepass"];
    const client = new Redis({
      host: this.host,
      port: this.port,
      enableReadyCheck: false,
      retryStrategy: () => null,
      ...(password === undefined ? {} : { password: String(password) }),
    });
    // The command that was sent rejects; the event says the same once more.
    client.on("error", () => undefined);
    return client;
  }

  #untilReady(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        this.#output += chunk.toString();
        if (/Ready to accept connections|Sentinel ID is/.test(this.#output)) resolve();
      };
      child.stdout?.on("data", read);
      child.stderr?.on("data", read);
      child.once("error", reject);
      child.once("close", (code) =>
        reject(new Error(`${this.binary.path} ended with code ${code} before it was ready:\n${this.#output}`)),
      );
    });
  }

  async #removeData(): Promise<void> {
    await rm(join(this.#directory, "dump.rdb"), { force: true });
    await rm(join(this.#directory, "appendonlydir"), { recursive: true, force: true });
  }

  #forget(child: ChildProcess): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    this.#release();
    runningServers.delete(this);
  }
}

/** A pipe to a child keeps this process alive unless it is told not to. */
function unrefStream(stream: unknown): void {
  const handle = stream as { unref?: () => void } | null;
  handle?.unref?.();
}
