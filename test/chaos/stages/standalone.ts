import type { ServerBinary } from "../../support/find-server.ts";
import { startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { ask } from "./ask.ts";
import { DURABLE, type Stage } from "./stage.ts";

/** One server. */
export async function startStandalone(binary: ServerBinary): Promise<Stage> {
  const server = await startServer({ binary, config: DURABLE });
  const nodes = [server];
  return {
    url: server.url,
    servers: nodes,
    nodes,
    primaries: async () => nodes,
    settled: async () => {
      await until("the server answers", async () => (await ask(server, "PING")) === "PONG", { timeoutMs: 60_000 });
    },
    stop: () => server.stop(),
  };
}
