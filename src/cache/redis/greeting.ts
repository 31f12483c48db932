import { ConnectionError } from "../errors.ts";
import { type ClusterClient, isCluster, type NodeClient, type RedisClient } from "./client.ts";
import { isReplyError } from "./failures.ts";
import type { Link } from "./link.ts";
import { DELETE_IF_EQUAL, GET_OR_SET, REPLACE_IF_EQUAL, type Script } from "./scripts.ts";
import { type Capabilities, capabilitiesOf, common, parseHello, type ServerInfo, UNKNOWN_SERVER } from "./server.ts";

/** Under which operators find us in `CLIENT LIST`. */
export const CLIENT_NAME = "holdfast";

export interface GreetingOptions {
  readonly deadlineMs: number;
  /** Selected unless it is 0, where every connection begins. */
  readonly database: number;
  /** The connection is ours to be given a name. */
  readonly isOwn: boolean;
}

/**
 * What happens on every new connection before an operation may use it: the
 * database is selected, the server must be one that takes writes now, and what
 * it can do is found out.
 *
 * @throws ConnectionError, or the raw error of the command that failed
 */
export async function greet(link: Link, options: GreetingOptions): Promise<Capabilities> {
  const { deadlineMs, database, isOwn } = options;
  const { client } = link;
  if (isCluster(client)) return greetCluster(link, client, deadlineMs);
  const send = sender(link, deadlineMs, client);
  const [hello] = await Promise.all([
    // First, so that it gets the error if the server turns every client away.
    send("HELLO").then(parseHello, unknownServer),
    isOwn && send("CLIENT", "SETNAME", CLIENT_NAME).catch(() => {}),
    database === 0 ? undefined : send("SELECT", String(database)),
    send("PING"),
  ]);
  checkRole(hello, link.address);
  const capabilities = capabilitiesOf(hello);
  capabilities.scriptsLoaded = await loadScripts(capabilities, send);
  return capabilities;
}

async function greetCluster(link: Link, cluster: ClusterClient, deadlineMs: number): Promise<Capabilities> {
  const greetings = cluster.nodes("master").map(async (node: NodeClient) => {
    const hello = await sender(link, deadlineMs, node)("HELLO").then(parseHello, unknownServer);
    return capabilitiesOf(hello);
  });
  return common(await Promise.all(greetings));
}

type Send = (name: string, ...args: string[]) => Promise<unknown>;

function sender(link: Link, deadlineMs: number, via: RedisClient): Send {
  return (name, ...args) => {
    const call = { operation: "connect", key: undefined, fullKey: undefined, deadlineMs } as const;
    return link.send(call, name, args, asItIs, via);
  };
}

const asItIs = (reply: unknown): unknown => reply;

/** Servers before 6.0, and some proxies, do not know `HELLO`. */
function unknownServer(error: unknown): ServerInfo {
  const cause = error instanceof Error ? error.cause : undefined;
  if (isReplyError(cause) && /unknown command|NOPROTO/i.test(cause.message)) return UNKNOWN_SERVER;
  throw error;
}

function checkRole({ mode, role }: ServerInfo, address: string): void {
  if (mode === "sentinel") {
    throw new ConnectionError(`${address} is a Sentinel; name it as redis+sentinel://host:port/master`, { address });
  }
  if (role === "replica" || role === "slave") {
    throw new ConnectionError(`${address} is a replica and takes no writes; connect to its master`, { address });
  }
}

/** Whether the scripts that this server needs are in its cache now. */
async function loadScripts(capabilities: Capabilities, send: Send): Promise<boolean> {
  const needed: Script[] = [];
  if (!capabilities.getOrSet) needed.push(GET_OR_SET);
  if (!capabilities.replaceIfEqual) needed.push(REPLACE_IF_EQUAL);
  if (capabilities.deleteIfEqual === undefined) needed.push(DELETE_IF_EQUAL);
  try {
    await Promise.all(needed.map(({ source }) => send("SCRIPT", "LOAD", source)));
    return true;
  } catch (error) {
    // A user who may not load scripts may still run them.
    if (error instanceof Error && isReplyError(error.cause)) return false;
    throw error;
  }
}
