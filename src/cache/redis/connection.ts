import { type Clock, sleep, type Timer } from "../../runtime/clock.ts";
import { ConnectionError } from "../errors.ts";
import { ignoreAskingFailures } from "./asking.ts";
import { isCluster, type NodeClient, type RedisClient } from "./client.ts";
import { type Attempt, connectFailure } from "./connect-failure.ts";
import { presentable } from "./failures.ts";
import { Link } from "./link.ts";

export interface ConnectionOptions<T> extends Attempt {
  readonly clock: Clock;
  readonly operationTimeoutMs: number;
  /**
   * What is sent on every new connection before an operation may use it. Rejects
   * when the server is of no use, with a `ConnectionError` or the error of a command.
   */
  greet(link: Link, deadlineMs: number): Promise<T>;
  /**
   * For a client of our own: whether it reconnects by itself, which it must not
   * before it was connected once. `undefined`: the client is the caller's.
   */
  readonly reconnects: { enabled: boolean } | undefined;
}

/** How long a server that answers but is of no use yet is left alone. */
const RETRY_MS = 250;

/** How long the other end may take to close a connection that we have closed. */
export const GOODBYE_MS = 100;

/**
 * Keeps a client connected to a server that is of use: greets it on every new
 * connection, and only then lets operations through.
 *
 * A client of our own is made to reconnect when its server is dead or takes no
 * writes. One that was handed in gets our listeners and our commands, no more; but see
 * {@link ignoreAskingFailures}.
 */
export class Connection<T> {
  readonly link: Link;
  /** What the last greeting gave. */
  greeting!: T;
  /** Called when another connection has taken the place of a broken one. */
  onReconnected: () => void = () => {};
  /** Called when the client has ended for good, and not by `close`. */
  onEnded: () => void = () => {};
  readonly #client: RedisClient;
  readonly #options: ConnectionOptions<T>;
  readonly #listeners: readonly (readonly [string, (...args: unknown[]) => void])[];
  #opening: { resolve(): void; reject(error: Error | undefined): void } | undefined;
  #wasOpen = false;
  #isConnected = false;
  /** How many connections the other end has closed before the first one was of use. */
  #refusals = 0;
  #released = false;
  /** Raised with each connection, so that a late answer from an older one is not mistaken for the new one's. */
  #epoch = 0;
  /** Until the connection is of use: when to give up on it, or to try again. */
  #timer: Timer;

  constructor(client: RedisClient, options: ConnectionOptions<T>) {
    this.#client = client;
    this.#options = options;
    this.link = new Link(client, options);
    this.link.onSuspect = (reason) => this.abandon(reason);
    const remember = (fault: unknown): void => {
      this.link.fault = presentable(fault as Error);
    };
    this.#listeners = [
      ["connect", () => this.#onConnect()],
      ["ready", () => void this.#greet()],
      ["close", () => this.#onClose()],
      ["end", () => this.#onEnd()],
      ["error", remember],
      ["node error", remember],
      ["sentinelError", remember],
      ["+node", (node) => ignoreAskingFailures(node as NodeClient)],
    ];
  }

  /** Resolves when the first connection is there; rejects with a `ConnectionError` that says why there is none. */
  async open(): Promise<void> {
    const { clock, connectTimeoutMs } = this.#options;
    for (const [event, listener] of this.#listeners) this.#client.on(event, listener);
    if (isCluster(this.#client)) this.#client.nodes("all").forEach(ignoreAskingFailures);
    const timer = clock.setTimer(() => this.#opening?.reject(this.link.fault), connectTimeoutMs);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#opening = { resolve, reject };
        this.#start();
      });
    } catch (fault) {
      // Before we close connections ourselves.
      const failure = connectFailure(fault, this.#options, this.#refusals);
      await this.#release();
      throw failure;
    } finally {
      clock.clearTimer(timer);
      this.#opening = undefined;
    }
  }

  /** Lets the operations under way finish, then disconnects a client of our own, or leaves the caller's alone. */
  async close(): Promise<void> {
    await this.link.whenIdle();
    await this.#release();
  }

  #start(): void {
    const { status } = this.#client;
    this.#isConnected = status === "ready";
    if (status === "ready") void this.#greet();
    else if (status === "end") this.#onEnd();
    // Its events say more about a failure than its promise.
    else if (status === "wait") this.#client.connect().catch(() => {});
  }

  async #greet(): Promise<void> {
    if (this.#released) return;
    const epoch = ++this.#epoch;
    const { clock, connectTimeoutMs, reconnects } = this.#options;
    this.link.fault = undefined;
    try {
      const greeting = await this.#options.greet(this.link, clock.monotonicMs() + connectTimeoutMs);
      if (epoch !== this.#epoch) return;
      clock.clearTimer(this.#timer);
      this.greeting = greeting;
      if (reconnects !== undefined) reconnects.enabled = true;
      this.link.open();
      if (this.#wasOpen) this.onReconnected();
      this.#wasOpen = true;
      this.#opening?.resolve();
    } catch (error) {
      // ioredis 5 is ready before it knows that a password was refused, and says so a moment later.
      await sleep(clock, 0);
      if (epoch !== this.#epoch) return;
      const fault = this.link.fault ?? (error as Error);
      this.link.fault = fault;
      if (this.#opening !== undefined) this.#opening.reject(fault);
      else this.#tryAgainLater(fault);
    }
  }

  /** The server is of no use. Another connection may find another one behind the same address. */
  #tryAgainLater(fault: Error): void {
    const tryAgain = (): void => (this.#canReplace ? this.abandon(fault) : void this.#greet());
    this.#setTimer(tryAgain, RETRY_MS);
  }

  /** The socket is open. If nothing useful comes of it in time, another one is tried. */
  #onConnect(): void {
    this.#isConnected = true;
    const { connectTimeoutMs } = this.#options;
    const fault = new Error(`it was connected, but not of use within ${connectTimeoutMs} ms`);
    this.#setTimer(() => this.abandon(fault), connectTimeoutMs);
  }

  /** A caller's client is not ours to replace, and a cluster replaces the connections to its nodes by itself. */
  get #canReplace(): boolean {
    return this.#options.reconnects?.enabled === true && !isCluster(this.#client);
  }

  /** Breaks the connection, so that a client of our own makes another one. */
  abandon(reason: Error): void {
    if (!this.#canReplace) return;
    this.link.fault = reason;
    // Not `disconnect(true)`: that waits for the other end to close as well, and it may be gone.
    (this.#client as NodeClient).stream?.destroy();
  }

  #setTimer(callback: () => void, delayMs: number): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    if (!this.#released) this.#timer = clock.setTimer(callback, delayMs);
  }

  #onClose(): void {
    this.#epoch += 1;
    if (this.#isConnected) this.#refusals += 1;
    this.#isConnected = false;
    this.#options.clock.clearTimer(this.#timer);
    this.link.shut();
  }

  #onEnd(): void {
    this.#epoch += 1;
    this.link.end();
    if (this.#opening !== undefined) this.#opening.reject(this.link.fault ?? this.#wasClosed());
    else if (!this.#released) this.onEnded();
  }

  /** A caller's client that has ended, and not because of the other end. */
  #wasClosed(): ConnectionError | undefined {
    const { address, reconnects } = this.#options;
    if (reconnects !== undefined || this.#refusals > 0) return undefined;
    return new ConnectionError(`No connection to ${address}: the client that was handed in was closed`, { address });
  }

  async #release(): Promise<void> {
    this.#released = true;
    this.#epoch += 1;
    this.#options.clock.clearTimer(this.#timer);
    this.link.end();
    if (this.#options.reconnects !== undefined) return disconnect(this.#client, this.#options.clock);
    for (const [event, listener] of this.#listeners) this.#client.off(event, listener);
  }
}

/** Disconnects a client of our own for good, and waits until its sockets are closed. */
async function disconnect(client: RedisClient, clock: Clock): Promise<void> {
  // Between two attempts there is nothing to close, and no event will come.
  if (client.status === "reconnecting" || client.status === "end") return client.disconnect();
  let timer: Timer;
  await new Promise<void>((resolve) => {
    client.on("end", () => resolve());
    timer = clock.setTimer(resolve, 2 * GOODBYE_MS);
    client.disconnect();
  });
  clock.clearTimer(timer);
}
