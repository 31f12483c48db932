import { setTimeout as sleep } from "node:timers/promises";
import type { RedisServer } from "../../support/redis-server.ts";
import { type Nemesis, pick, type Scene } from "./nemesis.ts";

/** Longer than this, and others may take over from it. */
const MOST_OF_A_FREEZE_MS = 1_500;

export const killClients: Nemesis = {
  name: "CLIENT KILL",
  befalls: "store",
  acknowledged: "kept",
  async strike(scene) {
    const kill = async (server: RedisServer, type: string): Promise<number> =>
      Number(await server.command("CLIENT", "KILL", "TYPE", type));
    let killed = 0;
    for (let round = 0; round < 3; round++) {
      for (const server of await scene.stage.primaries()) {
        killed += (await kill(server, "normal")) + (await kill(server, "pubsub"));
      }
      await sleep(scene.random.next() * 300);
    }
    if (killed === 0) throw new Error("no connection was killed");
    return `${killed} connections`;
  },
};

export const pauseClients: Nemesis = {
  name: "CLIENT PAUSE",
  befalls: "store",
  acknowledged: "kept",
  async strike(scene) {
    const primaries = await scene.stage.primaries();
    const pauseMs = Math.round((0.4 + scene.random.next()) * scene.ttlMs);
    await Promise.all(primaries.map((server) => server.command("CLIENT", "PAUSE", pauseMs, "ALL")));
    await sleep(pauseMs);
    return `${pauseMs} ms`;
  },
};

export const freezeServer: Nemesis = {
  name: "SIGSTOP the server",
  befalls: "store",
  acknowledged: "kept",
  async strike(scene) {
    const server = await primary(scene);
    const freezeMs = Math.min((0.4 + scene.random.next()) * scene.ttlMs, MOST_OF_A_FREEZE_MS);
    await frozen(server, () => sleep(freezeMs));
    return `port ${server.port}, ${Math.round(freezeMs)} ms`;
  },
};

export const restartFull: Nemesis = {
  name: "restart with its data (appendfsync always)",
  befalls: "store",
  acknowledged: "kept",
  async strike(scene) {
    const server = await primary(scene);
    await server.kill();
    await sleep(scene.random.next() * 300);
    await server.start();
    return `port ${server.port}`;
  },
};

export const restartEmpty: Nemesis = {
  name: "restart without its data",
  befalls: "store",
  acknowledged: "wiped",
  async strike(scene) {
    const server = await primary(scene);
    await server.restart({ keepData: false });
    return `port ${server.port}`;
  },
};

/** Stops a server while `during` lasts: connections stay open, nothing is answered. */
export async function frozen(server: RedisServer, during: () => Promise<unknown>): Promise<void> {
  server.pause();
  try {
    await during();
  } finally {
    server.resume();
  }
}

export async function primary({ stage, random }: Scene): Promise<RedisServer> {
  return pick(random, await stage.primaries());
}
