import type { RedisServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { type Nemesis, pick, type Scene } from "./nemesis.ts";
import { frozen, primary } from "./servers.ts";

const PATIENTLY = { timeoutMs: 120_000, everyMs: 50 };

/** The primary is told to step back when its replica has already been chosen. */
export const sentinelFailover: Nemesis = {
  name: "SENTINEL FAILOVER",
  befalls: "store",
  acknowledged: "truncated",
  replaces: true,
  async strike(scene) {
    const { stage } = scene;
    const server = await primary(scene);
    await stage.failover?.();
    await stage.settled();
    return `port ${server.port}`;
  },
};

export const killUntilReplaced: Nemesis = {
  name: "SIGKILL the primary, fail-over",
  befalls: "store",
  acknowledged: "truncated",
  replaces: true,
  async strike(scene) {
    const server = await primary(scene);
    await server.kill();
    await untilReplaced(scene, server);
    await server.start();
    await scene.stage.settled();
    return `port ${server.port}`;
  },
};

/** It comes back believing to be the primary still. */
export const freezeUntilReplaced: Nemesis = {
  name: "SIGSTOP the primary, fail-over",
  befalls: "store",
  acknowledged: "truncated",
  replaces: true,
  async strike(scene) {
    const server = await primary(scene);
    await frozen(server, () => untilReplaced(scene, server));
    await scene.stage.settled();
    return `port ${server.port}`;
  },
};

/** The replica asks its primary to pause until it has caught up, and takes over then. */
export const clusterFailover: Nemesis = {
  name: "CLUSTER FAILOVER",
  befalls: "store",
  acknowledged: "kept",
  replaces: true,
  async strike({ stage, random }) {
    const primaries = await stage.primaries();
    const replica = pick(
      random,
      stage.nodes.filter((node) => !primaries.includes(node)),
    );
    await replica.command("CLUSTER", "FAILOVER");
    await until("the replica leads", async () => (await stage.primaries()).includes(replica), PATIENTLY);
    await stage.settled();
    return `port ${replica.port}`;
  },
};

async function untilReplaced({ stage }: Scene, server: RedisServer): Promise<void> {
  await until("another one has taken over", async () => !(await stage.primaries()).includes(server), PATIENTLY);
}
