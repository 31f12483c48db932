import { setTimeout as sleep } from "node:timers/promises";
import slotOf from "cluster-key-slot";
import type { RedisServer } from "../../support/redis-server.ts";
import { ELECTION, LOCKS, REGISTERS } from "../crew/settings.ts";
import { type Nemesis, pick, type Scene } from "./nemesis.ts";

const KEYS_AT_ONCE = 3;
const MIGRATE_LIMIT_MS = 2_000;

/** Moves slots that are in use to another primary, key by key, while they are used. */
export const migrateSlots: Nemesis = {
  name: "slot migration",
  befalls: "store",
  acknowledged: "kept",
  async strike(scene) {
    const tags = [...LOCKS.map(tag), ...REGISTERS, tag(ELECTION)];
    const chosen = new Set([pick(scene.random, tags), pick(scene.random, tags)]);
    const moved: string[] = [];
    for (const name of chosen) moved.push(`${name}: ${await migrate(scene, slotOf(name))} keys`);
    await scene.stage.settled();
    return moved.join(", ");
  },
};

function tag(name: string): string {
  return `{${name}}`;
}

async function migrate({ stage, random }: Scene, slot: number): Promise<number> {
  const primaries = await stage.primaries();
  const from = await ownerOf(slot, primaries);
  const to = pick(
    random,
    primaries.filter((server) => server !== from),
  );
  const [fromId, toId] = await Promise.all(
    [from, to].map(async (server) => String(await server.command("CLUSTER", "MYID"))),
  );
  await to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId ?? "");
  await from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", toId ?? "");
  const moved = await moveKeys(slot, from, to);
  // The new owner first: a slot that nobody claims would be refused by all.
  for (const server of [to, from, ...primaries.filter((other) => other !== to && other !== from)]) {
    await server.command("CLUSTER", "SETSLOT", slot, "NODE", toId ?? "");
  }
  return moved;
}

/** Slowly, so that some keys are here and some are there for a while. */
async function moveKeys(slot: number, from: RedisServer, to: RedisServer): Promise<number> {
  for (let moved = 0; ; ) {
    const keys = (await from.command("CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE)) as string[];
    if (keys.length === 0) return moved;
    await from.command("MIGRATE", to.host, to.port, "", 0, MIGRATE_LIMIT_MS, "KEYS", ...keys);
    moved += keys.length;
    await sleep(50);
  }
}

async function ownerOf(slot: number, primaries: readonly RedisServer[]): Promise<RedisServer> {
  for (const server of primaries) {
    const ranges = (await server.command("CLUSTER", "SLOTS")) as [number, number, [string, number]][];
    const range = ranges.find(([first, last]) => first <= slot && slot <= last);
    const owner = primaries.find(({ port }) => port === range?.[2][1]);
    if (owner) return owner;
  }
  throw new Error(`slot ${slot} is served by none`);
}
