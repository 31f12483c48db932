import type { Clock, Timer } from "../../runtime/clock.ts";
import { ConnectionError } from "../errors.ts";
import type { NodeClient } from "./client.ts";
import { Connection } from "./connection.ts";
import { subjectOf, title } from "./failures.ts";
import type { Link } from "./link.ts";
import type { Call } from "./request.ts";

export interface SubscriberOptions {
  readonly clock: Clock;
  readonly address: string;
  readonly usesTls: boolean;
  readonly operationTimeoutMs: number;
  /** A client of our own, not yet connected; of a cluster, one to any of its nodes. */
  makeClient(reconnects: { readonly enabled: boolean }): NodeClient;
}

/** How long the connection is kept when nothing is subscribed to: a waiter is often followed by the next. */
const LINGER_MS = 5_000;

/** How often an idle connection is tried. Nobody else would notice that it is half-open. */
const HEARTBEAT_MS = 15_000;

/** When a cluster has no node for us, it is asked again after this time. */
const RETRY_MS = 500;

/**
 * The one connection that listens to channels: made with the first channel,
 * closed some time after the last, and made again when it breaks.
 */
export class Subscriber {
  /** Called with each message. */
  onMessage: (channel: string, message: string) => void = () => {};
  /** Called when messages may have been missed: the connection was broken, and is there again. */
  onGap: () => void = () => {};
  readonly #options: SubscriberOptions;
  /** What is subscribed to, and is again after a reconnect. */
  readonly #channels = new Set<string>();
  /** Channels subscribed to, or about to be. */
  #users = 0;
  #connection: Promise<Connection<void>> | undefined;
  #disconnecting: Promise<void> | undefined;
  #timer: Timer;
  #closed = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
  }

  /** Resolves when every later message of the channel is sure to be delivered, as long as the connection lasts. */
  async subscribe(channel: string, call: Call): Promise<void> {
    this.#enter();
    try {
      const subscribe = ({ link }: Connection<void>): Promise<void> => {
        this.#channels.add(channel);
        return link.run(call, () => send(link, call, "subscribe", channel));
      };
      const fail = (error: Error): never => {
        const { address } = this.#options;
        throw new ConnectionError(`${title(call)}: ${error.message}`, { ...subjectOf(call), address, cause: error });
      };
      await this.#connect().then(subscribe, fail);
    } catch (error) {
      // It may have been executed all the same.
      void this.unsubscribe(channel, call.key);
      throw error;
    }
  }

  /** Never rejects: if the connection is broken, so are its subscriptions. */
  async unsubscribe(channel: string, key: string | undefined): Promise<void> {
    this.#leave();
    // As in `subscribe`, one `then` after the connection: so they reach the server in the order of their calls.
    await this.#connection
      ?.then(({ link }) => {
        this.#channels.delete(channel);
        return link.run(newCall(link, key), (call) => send(link, call, "unsubscribe", channel));
      })
      .catch(() => {});
  }

  /** Connects anew: another server may be the right one now. */
  renew(): void {
    this.#connection?.then((connection) => connection.abandon(new Error("it was to be renewed"))).catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.clearTimer(this.#timer);
    this.#channels.clear();
    await this.#disconnect();
  }

  #enter(): void {
    this.#users += 1;
    if (this.#users === 1) this.#setTimer(HEARTBEAT_MS, () => void this.#beat());
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#setTimer(LINGER_MS, () => void this.#disconnect());
  }

  #setTimer(delayMs: number, callback: () => void): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    if (this.#closed) return;
    this.#timer = clock.setTimer(callback, delayMs);
  }

  async #beat(): Promise<void> {
    this.#setTimer(HEARTBEAT_MS, () => void this.#beat());
    // When no answer comes the connection is replaced, and that is all we want.
    await this.#connection
      ?.then(({ link }) => link.run(newCall(link), (call) => send(link, call, "ping")))
      .catch(() => {});
  }

  #connect(): Promise<Connection<void>> {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  async #open(): Promise<Connection<void>> {
    const reconnects = { enabled: false };
    try {
      const client = this.#options.makeClient(reconnects);
      client.on("message", (channel, message) => this.onMessage(String(channel), String(message)));
      const connection = new Connection<void>(client, {
        ...this.#options,
        connectTimeoutMs: this.#options.operationTimeoutMs,
        reconnects,
        greet: (link) => this.#resubscribe(link),
      });
      connection.onReconnected = () => this.onGap();
      await connection.open();
      connection.onEnded = () => void this.#replace();
      return connection;
    } catch (error) {
      // The next one tries again.
      this.#connection = undefined;
      throw error;
    }
  }

  async #resubscribe(link: Link): Promise<void> {
    if (this.#channels.size > 0) await send(link, newCall(link), "subscribe", ...this.#channels);
  }

  /** The client gave up, as one to a node of a cluster does: another one finds another node. */
  async #replace(): Promise<void> {
    this.#connection = undefined;
    if (this.#users === 0) return;
    try {
      await this.#connect();
      this.onGap();
    } catch {
      if (this.#users > 0) this.#setTimer(RETRY_MS, () => void this.#replace());
    }
  }

  async #disconnect(): Promise<void> {
    const opening = this.#connection;
    this.#connection = undefined;
    const disconnect = async (): Promise<void> => {
      await this.#disconnecting;
      const connection = await opening?.catch(() => undefined);
      await connection?.close();
    };
    this.#disconnecting = disconnect();
    await this.#disconnecting;
  }
}

/** In lower case, unlike all other commands: ioredis keeps a list of subscriptions under these names. */
type Command = "subscribe" | "unsubscribe" | "ping";

function send(link: Link, call: Call, name: Command, ...channels: string[]): Promise<void> {
  return link.send(call, name, channels, () => {});
}

function newCall(link: Link, key?: string): Call {
  return { operation: "watch", key, fullKey: undefined, deadlineMs: link.newDeadline() };
}
