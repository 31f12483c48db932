import { untilReplicating } from "./redis-cluster.ts";
import { type RedisServer, type ServerOptions, startServer } from "./redis-server.ts";
import { until } from "./until.ts";

export interface SentinelOptions {
  readonly sentinels?: number;
  /** The name under which the sentinels know the master. */
  readonly name?: string;
  /** After this long without an answer the master counts as gone. Default 1,000. */
  readonly downAfterMs?: number;
  readonly server?: ServerOptions;
}

export interface RedisSentinel {
  readonly name: string;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];
  /** `redis+sentinel://host:port,host:port/name` */
  readonly url: string;
  /** Lets the sentinels swap master and replica, and waits until they agree that it is done. */
  failover(): Promise<void>;
  /** Who is the master now, as the first sentinel sees it. */
  currentMaster(): Promise<RedisServer>;
  stop(): Promise<void>;
}

/** Starts a master, its replica and sentinels that watch both; a majority of them decides on a failover. */
export async function startSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
  const { sentinels: count = 1, name = "holdfast", downAfterMs = 1_000, server = {} } = options;
  const started: RedisServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((each) => each.stop()));
  };
  const start = async (more: ServerOptions): Promise<RedisServer> => {
    const each = await startServer({ ...server, ...more });
    started.push(each);
    return each;
  };
  try {
    const config = { "repl-diskless-sync-delay": 0, ...server.config };
    const master = await start({ config });
    const replica = await start({ config: { ...config, replicaof: `${master.host} ${master.port}` } });
    await untilReplicating(replica);
    const watch: ServerOptions = { sentinel: true, lines: sentinelLines({ name, downAfterMs }, master, count) };
    const sentinels = await Promise.all(Array.from({ length: count }, () => start(watch)));
    await Promise.all(sentinels.map((sentinel) => untilInformed(sentinel, name, count)));
    const [first] = sentinels;
    if (!first) throw new Error("At least one sentinel is needed");

    const currentMaster = async (): Promise<RedisServer> => {
      const [, port] = (await first.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)) as [string, string];
      return Number(port) === replica.port ? replica : master;
    };
    const failover = async (): Promise<void> => {
      const before = await currentMaster();
      // Refused (NOGOODSLAVE) until the sentinel has heard from the replica itself.
      await until("a failover can begin", () => first.command("SENTINEL", "FAILOVER", name));
      await until("the sentinels have made the replica the master", async () => {
        const now = await currentMaster();
        return now !== before && String(await now.command("ROLE")).startsWith("master");
      });
    };
    const addresses = sentinels.map(({ host, port }) => `${host}:${port}`).join(",");
    return {
      name,
      master,
      replica,
      sentinels,
      url: `redis+sentinel://${addresses}/${name}`,
      failover,
      currentMaster,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function sentinelLines(
  { name, downAfterMs }: Required<Pick<SentinelOptions, "name" | "downAfterMs">>,
  master: RedisServer,
  sentinels: number,
): string[] {
  const quorum = Math.floor(sentinels / 2) + 1;
  return [
    `sentinel monitor ${name} ${master.host} ${master.port} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 5000`,
  ];
}

/** A sentinel can fail over once it knows the replica and the other sentinels. */
function untilInformed(sentinel: RedisServer, name: string, sentinels: number): Promise<unknown> {
  return until(`the sentinel on port ${sentinel.port} knows the others`, async () => {
    const fields = (await sentinel.command("SENTINEL", "MASTER", name)) as string[];
    const field = (key: string): number => Number(fields[fields.indexOf(key) + 1]);
    return field("num-slaves") === 1 && field("num-other-sentinels") === sentinels - 1;
  });
}
