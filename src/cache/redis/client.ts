/**
 * What this backend uses of ioredis, written as interfaces: a client that the
 * caller hands in may come from another copy or major version of the package,
 * and then neither `instanceof` nor its types would match.
 */

interface ClientOptions {
  readonly keyPrefix?: string | undefined;
  readonly db?: number | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly sentinels?: unknown;
  /** Of the master, as the Sentinels know it. */
  readonly name?: string | null | undefined;
  readonly tls?: object | undefined;
}

type Listener = (...args: unknown[]) => void;

/** A client of ioredis 5.4 or later: a `Redis` or a `Cluster`. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: ClientOptions;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  sendCommand(command: object): unknown;
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

/** A `Redis`: one connection, to a server or to the master that Sentinels name. */
export interface NodeClient extends RedisClient {
  readonly stream?: NodeStream | undefined;
  readonly condition?: { readonly select: number } | null | undefined;
  duplicate(override: object): NodeClient;
  /** Sends `ASKING`: what comes next is for a slot that the node is about to get. */
  asking: (...args: unknown[]) => Promise<unknown>;
}

interface NodeStream {
  readonly writable: boolean;
  cork(): void;
  uncork(): void;
  destroy(error?: Error): void;
}

/** A `Cluster`: a connection to each of its nodes. */
export interface ClusterClient extends RedisClient {
  nodes(role: "all" | "master" | "slave"): readonly NodeClient[];
}

export function isRedisClient(value: unknown): value is RedisClient {
  if (typeof value !== "object" || value === null) return false;
  const client = value as Partial<RedisClient>;
  return (
    typeof client.sendCommand === "function" &&
    typeof client.callBuffer === "function" &&
    typeof client.disconnect === "function" &&
    typeof client.status === "string"
  );
}

export function isCluster(client: RedisClient): client is ClusterClient {
  return client.isCluster;
}

/** ioredis' own command, as far as it is used here. */
export interface Command {
  readonly name: string;
  args: readonly CommandArgument[];
  readonly promise: Promise<unknown>;
  resolve(reply: unknown): unknown;
  reject(error: Error): void;
  getSlot(): number | null;
  /** ioredis calls this when, and only when, it writes the command to a socket. */
  toWritable(socket: object): string | Buffer;
  /** Turns the server's reply into what the promise resolves to. */
  transformReply(reply: unknown): unknown;
}

export type CommandClass = new (name: string, args: CommandArgument[], options: { replyEncoding: null }) => Command;

export type CommandArgument = string | Buffer;

/** The class of a client's commands; each copy of ioredis has its own, and wants its own. */
export function commandClassOf(client: RedisClient): CommandClass {
  // A client does not tell its class of commands. But its `callBuffer` makes one and passes it to `sendCommand`.
  const catcher = { options: {}, sendCommand: (command: object) => command };
  const command = client.callBuffer.call(catcher as unknown as RedisClient, "PING") as unknown as object;
  return command.constructor as CommandClass;
}
