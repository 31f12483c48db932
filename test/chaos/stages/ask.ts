import { setTimeout as sleep } from "node:timers/promises";
import { disconnect } from "../../support/ioredis.ts";
import type { RedisServer } from "../../support/redis-server.ts";

const LIMIT_MS = 2_000;

/** What a server answers to a command; `undefined` if it does not in time, is not there, or answers with an error. */
export async function ask(server: RedisServer, name: string, ...args: readonly string[]): Promise<unknown> {
  if (!server.isRunning) return undefined;
  const client = server.client();
  try {
    return await Promise.race([client.call(name, ...args), sleep(LIMIT_MS, undefined, { ref: false })]);
  } catch {
    return undefined;
  } finally {
    disconnect(client);
  }
}

export async function isPrimary(server: RedisServer): Promise<boolean> {
  const [role] = ((await ask(server, "ROLE")) ?? []) as string[];
  return role === "master";
}

/** Whether it follows a primary, and has all of its data. */
export async function isFollowing(server: RedisServer): Promise<boolean> {
  return String(await ask(server, "INFO", "replication")).includes("master_link_status:up");
}
