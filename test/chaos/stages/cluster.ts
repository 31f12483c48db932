import type { ServerBinary } from "../../support/find-server.ts";
import { startCluster } from "../../support/redis-cluster.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { ask, isFollowing, isPrimary } from "./ask.ts";
import { DURABLE, type Stage } from "./stage.ts";

const PRIMARIES = 3;
/** Longer than any fault that is not to lead to a fail-over, on a machine that has other things to do. */
const NODE_TIMEOUT_MS = 3_000;

/** Three primaries with a replica each. */
export async function startShards(binary: ServerBinary): Promise<Stage> {
  const config = { ...DURABLE, "cluster-node-timeout": NODE_TIMEOUT_MS };
  const cluster = await startCluster({ masters: PRIMARIES, replicasPerMaster: 1, server: { binary, config } });
  const { nodes } = cluster;
  return {
    url: cluster.url,
    servers: nodes,
    nodes,
    primaries: () => owners(nodes),
    async settled() {
      await until("the cluster is whole", () => isWhole(nodes), { timeoutMs: 120_000, everyMs: 100 });
    },
    stop: cluster.stop,
  };
}

/** Who serves slots, as most of the nodes see it. */
async function owners(nodes: readonly RedisServer[]): Promise<RedisServer[]> {
  const views = await Promise.all(nodes.map(async (node) => portsOfOwners(await ask(node, "CLUSTER", "SLOTS"))));
  const votes = (node: RedisServer): number => views.filter((ports) => ports.has(node.port)).length;
  return nodes.filter((node) => votes(node) > nodes.length / 2);
}

function portsOfOwners(slots: unknown): Set<number> {
  const ranges = (slots ?? []) as [from: number, to: number, owner: [host: string, port: number]][];
  return new Set(ranges.map(([, , [, port]]) => port));
}

async function isWhole(nodes: readonly RedisServer[]): Promise<boolean> {
  const leading = await owners(nodes);
  if (leading.length !== PRIMARIES) return false;
  const checks = nodes.map(async (node) => {
    const isInPlace = await (leading.includes(node) ? isPrimary(node) : isFollowing(node));
    return isInPlace && String(await ask(node, "CLUSTER", "INFO")).includes("cluster_state:ok");
  });
  return (await Promise.all(checks)).every(Boolean);
}
