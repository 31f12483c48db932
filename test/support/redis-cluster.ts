import { freePort } from "./free-port.ts";
import { type RedisServer, type ServerOptions, startServer } from "./redis-server.ts";
import { until } from "./until.ts";

const SLOTS = 16_384;

export interface ClusterOptions {
  readonly masters?: number;
  readonly replicasPerMaster?: number;
  readonly server?: ServerOptions;
}

export interface RedisCluster {
  readonly masters: readonly RedisServer[];
  /** The replicas of master `i` are the `i`-th entry. */
  readonly replicas: readonly (readonly RedisServer[])[];
  readonly nodes: readonly RedisServer[];
  /** `redis+cluster://` with every node. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a cluster whose masters share the slots evenly, and waits until every node finds it complete. */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters: count = 3, replicasPerMaster = 0, server = {} } = options;
  const nodes = await startNodes(count * (1 + replicasPerMaster), server);
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    const masters = nodes.slice(0, count);
    await join(nodes);
    await Promise.all(masters.map((master, index) => assignSlots(master, index, count)));
    const replicas = masters.map((_, index) => nodes.filter((_, n) => n >= count && n % count === index));
    await attachReplicas(masters, replicas);
    await Promise.all(nodes.map((node) => untilComplete(node, nodes.length)));
    const url = `redis+cluster://${nodes.map(({ host, port }) => `${host}:${port}`).join(",")}`;
    return { masters, replicas, nodes, url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startNodes(count: number, { config, ...options }: ServerOptions): Promise<RedisServer[]> {
  const start = async (): Promise<RedisServer> =>
    startServer({
      ...options,
      config: {
        "cluster-enabled": "yes",
        // The default, the port plus 10,000, may be taken.
        "cluster-port": await freePort(),
        "cluster-node-timeout": 2_000,
        "repl-diskless-sync-delay": 0,
        ...config,
      },
    });
  return Promise.all(Array.from({ length: count }, start));
}

async function join(nodes: readonly RedisServer[]): Promise<void> {
  // Distinct epochs from the start, so that the nodes need not settle a collision first.
  await Promise.all(nodes.map((node, index) => node.command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)));
  const [first, ...others] = nodes;
  if (!first) throw new Error("A cluster has at least one node");
  for (const node of others) {
    const [, busPort] = (await node.command("CONFIG", "GET", "cluster-port")) as [string, string];
    await first.command("CLUSTER", "MEET", node.host, node.port, busPort);
  }
  await Promise.all(
    nodes.map((node) => until("all nodes have met", async () => (await knownNodes(node)) === nodes.length)),
  );
}

async function assignSlots(master: RedisServer, index: number, masters: number): Promise<void> {
  const first = Math.floor((SLOTS * index) / masters);
  const last = Math.floor((SLOTS * (index + 1)) / masters) - 1;
  await master.command("CLUSTER", "ADDSLOTSRANGE", first, last);
}

async function attachReplicas(
  masters: readonly RedisServer[],
  replicas: readonly (readonly RedisServer[])[],
): Promise<void> {
  await Promise.all(
    masters.flatMap((master, index) =>
      (replicas[index] ?? []).map(async (replica) => {
        const id = String(await master.command("CLUSTER", "MYID"));
        await replica.command("CLUSTER", "REPLICATE", id);
        await untilReplicating(replica);
      }),
    ),
  );
}

/** Resolves when a replica has its master's data and follows it. */
export function untilReplicating(replica: RedisServer): Promise<unknown> {
  return until(`the replica on port ${replica.port} follows its master`, async () =>
    String(await replica.command("INFO", "replication")).includes("master_link_status:up"),
  );
}

function untilComplete(node: RedisServer, nodes: number): Promise<unknown> {
  return until(`the cluster is complete for the node on port ${node.port}`, async () => {
    const info = await clusterInfo(node);
    return (
      info.includes("cluster_state:ok") &&
      info.includes(`cluster_slots_ok:${SLOTS}`) &&
      (await knownNodes(node)) === nodes
    );
  });
}

async function knownNodes(node: RedisServer): Promise<number> {
  return Number(/cluster_known_nodes:(\d+)/.exec(await clusterInfo(node))?.[1]);
}

async function clusterInfo(node: RedisServer): Promise<string> {
  return String(await node.command("CLUSTER", "INFO"));
}
