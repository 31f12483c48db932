import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { Monitor } from "./monitor.ts";

/** Looks at the server over connections of its own. */
export class Observer {
  readonly #url: string;
  #redis: Redis | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  get redis(): Redis {
    this.#redis ??= new Redis(this.#url);
    return this.#redis;
  }

  /** What the server's main thread has computed so far, in microseconds. */
  async cpuMicros(): Promise<number> {
    const info = await this.redis.info("cpu");
    const seconds = [...info.matchAll(/^used_cpu_(?:sys|user)_main_thread:([\d.]+)/gm)].map(([, text]) => Number(text));
    return seconds.reduce((sum, part) => sum + part, 0) * 1e6;
  }

  /** Commands that the server has executed so far, those of scripts included. */
  async commands(): Promise<number> {
    const info = await this.redis.info("stats");
    return Number(/^total_commands_processed:(\d+)/m.exec(info)?.[1]);
  }

  /** How many commands clients send while `work` runs. Slows the server down: not for what is timed. */
  async countCommands(work: () => Promise<unknown>): Promise<number> {
    const end = randomUUID();
    const monitor = await Monitor.start(this.#url, end);
    const counted = monitor.untilMark();
    await work();
    await this.redis.echo(end);
    return counted;
  }

  /** When the lock `key` expires, in milliseconds since the epoch, whatever the contestant calls it on the server. */
  async expiryOf(key: string): Promise<number> {
    const names = await this.redis.keys(`*${key}*`);
    const times = await Promise.all(names.map((name) => this.redis.call("PEXPIRETIME", name)));
    const expiry = Math.min(...times.map(Number).filter((time) => time > 0));
    if (!Number.isFinite(expiry)) throw new Error(`The server has no lock "${key}" that expires`);
    return expiry;
  }
}
