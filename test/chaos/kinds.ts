import { findServer, type ServerBinary } from "../support/find-server.ts";
import { findNamedServer, type ServerName } from "../support/named-server.ts";
import { clusterFailover, freezeUntilReplaced, killUntilReplaced, sentinelFailover } from "./nemeses/failovers.ts";
import { migrateSlots } from "./nemeses/migration.ts";
import type { Nemesis } from "./nemeses/nemesis.ts";
import { freezeServer, killClients, pauseClients, restartEmpty, restartFull } from "./nemeses/servers.ts";
import { deafServer, flapping, latency, muteServer, partition, replyLoss } from "./nemeses/wires.ts";
import { killWorker, stopWorker } from "./nemeses/workers.ts";
import { startShards } from "./stages/cluster.ts";
import { startWithSentinels } from "./stages/sentinel.ts";
import type { Stage } from "./stages/stage.ts";
import { startStandalone } from "./stages/standalone.ts";

/** A kind of store, and everything that can befall it. */
export interface Kind {
  readonly start: () => Promise<Stage>;
  readonly nemeses: readonly Nemesis[];
}

const ANYWHERE: readonly Nemesis[] = [
  killWorker,
  stopWorker,
  partition,
  deafServer,
  muteServer,
  flapping,
  latency,
  replyLoss,
  killClients,
  pauseClients,
  freezeServer,
  restartFull,
];

/** One server: that of HOLDFAST_SERVER, or the first one in the PATH. */
export const SINGLE: Kind = single(findServer);

/** By the name under which the command line knows them. */
export const KINDS: Readonly<Record<string, Kind>> = {
  "redis-7": single(() => named("redis 7.0")),
  "valkey-9": single(() => named("valkey 9")),
  sentinel: {
    start: async () => startWithSentinels(await findServer()),
    nemeses: [...ANYWHERE, sentinelFailover, killUntilReplaced, freezeUntilReplaced],
  },
  cluster: {
    start: async () => startShards(await findServer()),
    nemeses: [...ANYWHERE, migrateSlots, clusterFailover, killUntilReplaced, freezeUntilReplaced],
  },
};

function single(find: () => Promise<ServerBinary>): Kind {
  return { start: async () => startStandalone(await find()), nemeses: [...ANYWHERE, restartEmpty] };
}

async function named(name: ServerName): Promise<ServerBinary> {
  const server = await findNamedServer(name);
  if (server === undefined) throw new Error(`There is no ${name} here; see HOLDFAST_SERVER_PATHS`);
  return server;
}
