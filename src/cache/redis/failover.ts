import { type Clock, sleep } from "../../runtime/clock.ts";
import type { NodeClient } from "./client.ts";
import { Subscriber } from "./subscriber.ts";

export interface FailoverWatchOptions {
  readonly clock: Clock;
  readonly operationTimeoutMs: number;
  readonly usesTls: boolean;
  /** How messages name the Sentinels. */
  readonly address: string;
  /** The name under which they know the master. */
  readonly name: string;
  /** A client of one of them; of another one each time. */
  makeClient(reconnects: { readonly enabled: boolean }): NodeClient;
  /** Another server is the master now, or may be. */
  onFailover(): void;
}

const SWITCHED = "+switch-master";

/** How long to wait when no Sentinel could be reached. */
const RETRY_MS = 1_000;

/**
 * Listens to a Sentinel for a change of masters. A master that was replaced is
 * told so seconds later, and until then takes writes that will be lost: two
 * holders of one lock, on two masters.
 */
export class FailoverWatch {
  readonly #options: FailoverWatchOptions;
  readonly #subscriber: Subscriber;
  readonly #closing = new AbortController();

  constructor(options: FailoverWatchOptions) {
    this.#options = options;
    this.#subscriber = new Subscriber(options);
    this.#subscriber.onMessage = (_, message) => {
      if (message.startsWith(`${options.name} `)) options.onFailover();
    };
    // What happened meanwhile was not heard.
    this.#subscriber.onGap = () => options.onFailover();
    void this.#listen();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#subscriber.close();
  }

  async #listen(): Promise<void> {
    const { clock, operationTimeoutMs } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const deadlineMs = clock.monotonicMs() + operationTimeoutMs;
      try {
        return await this.#subscriber.subscribe(SWITCHED, {
          operation: "connect",
          key: undefined,
          fullKey: undefined,
          deadlineMs,
        });
      } catch {
        await sleep(clock, RETRY_MS, signal);
      }
    }
  }
}
