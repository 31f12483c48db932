import { randomUUID } from "node:crypto";
import { disconnect } from "./ioredis.ts";
import type { RedisServer } from "./redis-server.ts";
import { until } from "./until.ts";

/** One command as MONITOR shows it. */
export interface SeenCommand {
  /** In upper case. */
  readonly name: string;
  readonly args: readonly string[];
  /** Address of the client, or `lua` for a command that a script ran. */
  readonly source: string;
}

export interface SeenCommands {
  /** What clients sent, in the server's order. */
  readonly sent: readonly SeenCommand[];
  /** What scripts ran on the server; costs no round trip. */
  readonly scripted: readonly SeenCommand[];
}

/**
 * Runs `work` and tells which commands the server executed meanwhile, whoever sent them.
 * @param filter `source`: only the commands of the client with this address (`client.stream.localAddress:port`)
 */
export async function recordCommands(
  server: RedisServer,
  work: () => Promise<unknown>,
  filter: { readonly source?: string } = {},
): Promise<SeenCommands> {
  const client = server.client();
  const monitor = await client.monitor();
  const seen: SeenCommand[] = [];
  monitor.on("monitor", (_time: string, [name = "", ...args]: string[], source: string) => {
    seen.push({ name: name.toUpperCase(), args, source });
  });
  try {
    const from = await mark(server, seen);
    await work();
    const to = await mark(server, seen);
    const between = seen.slice(from.last + 1, to.first);
    const sent = between.filter(({ source }) => source !== "lua" && source === (filter.source ?? source));
    return { sent, scripted: between.filter(({ source }) => source === "lua") };
  } finally {
    disconnect(monitor);
    disconnect(client);
  }
}

/** Puts a mark into the stream of commands and waits until it has arrived; its first and last command's index. */
async function mark(server: RedisServer, seen: readonly SeenCommand[]): Promise<{ first: number; last: number }> {
  const text = randomUUID();
  const client = server.client();
  const address = async (): Promise<string> => {
    const info = String(await client.call("CLIENT", "INFO"));
    return /\baddr=(\S+)/.exec(info)?.[1] ?? "";
  };
  try {
    const own = await address();
    await client.call("ECHO", text);
    await until("MONITOR shows the mark", () => seen.some(({ args }) => args[0] === text));
    const indices = seen.flatMap(({ source }, index) => (source === own ? [index] : []));
    return { first: Math.min(...indices), last: Math.max(...indices) };
  } finally {
    disconnect(client);
  }
}
