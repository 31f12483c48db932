import { setTimeout as sleep } from "node:timers/promises";
import type { RedisServer } from "../support/redis-server.ts";
import type { Stage } from "./stages/stage.ts";

const NO_EXPIRY = -1;

/** What is in the store when everybody has gone: nothing that stays for ever, and nothing that is still held. */
export async function leftovers(stage: Stage, ttlMs: number): Promise<string[]> {
  // A worker that was killed leaves a lease behind, until it expires.
  await sleep(2 * ttlMs);
  const primaries = await stage.primaries();
  const keys = (await Promise.all(primaries.map(keysOn))).flat();
  return keys.flatMap(({ key, leftMs }) => {
    if (leftMs === NO_EXPIRY) return [`${key} was left behind for ever`];
    return /^(lock|leader):/.test(key) ? [`${key} is held by somebody who has gone`] : [];
  });
}

interface Key {
  readonly key: string;
  readonly leftMs: number;
}

async function keysOn(server: RedisServer): Promise<Key[]> {
  const found: Key[] = [];
  let cursor = "0";
  do {
    const [next, names] = (await server.command("SCAN", cursor, "COUNT", 1_000)) as [string, string[]];
    for (const key of names) found.push({ key, leftMs: Number(await server.command("PTTL", key)) });
    cursor = next;
  } while (cursor !== "0");
  return found;
}
