import type { ConnectionOptions as TlsOptions } from "node:tls";
import { ConfigError } from "../errors.ts";
import { parseConnectionUrl } from "./connection-url.ts";
import type { RedisConfig, RedisNode } from "./options.ts";

/** A checked {@link RedisConfig}: every default filled in. */
export interface Address {
  /** How messages name it; no credentials. */
  readonly label: string;
  readonly at: Place;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly tls: TlsOptions | undefined;
}

export type Place =
  | { readonly kind: "host"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string }
  | {
      readonly kind: "sentinel";
      readonly hosts: readonly Required<RedisNode>[];
      readonly name: string;
      readonly username: string | undefined;
      readonly password: string | undefined;
    }
  | { readonly kind: "cluster"; readonly nodes: readonly Required<RedisNode>[] };

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26379;

/**
 * Checks how a store is to be reached.
 *
 * @throws ConfigError that names all faults at once. It never repeats what was
 *   given: a password in the wrong place would end up in a log.
 */
export function resolveAddress(target: string | RedisConfig): Address {
  const faults: string[] = [];
  const config = typeof target === "string" ? parseConnectionUrl(target, faults) : target;
  const address = faults.length === 0 ? checkConfig(config, faults) : undefined;
  if (address !== undefined && faults.length === 0) return address;
  const what = typeof target === "string" ? "the connection URL" : "the connection's configuration";
  throw new ConfigError(`${what} is not usable: ${faults.join("; ")}`);
}

function checkConfig(config: RedisConfig, faults: string[]): Address | undefined {
  const { username, password, database = 0, tls, cluster } = config;
  const text = (value: unknown, what: string): string | undefined => {
    if (value === undefined || value === "" || typeof value === "string") return value || undefined;
    faults.push(`${what} is not a string`);
    return undefined;
  };
  if (typeof database !== "number" || !Number.isSafeInteger(database) || database < 0) {
    faults.push("the database is not a whole number, 0 or more");
  } else if (database > 0 && cluster !== undefined) {
    faults.push("a cluster has only database 0");
  }
  if (tls !== undefined && typeof tls !== "boolean" && (typeof tls !== "object" || tls === null)) {
    faults.push("tls is neither true nor the options of tls.connect");
  }
  if (text(username, "the user name") !== undefined && text(password, "the password") === undefined) {
    faults.push("a user name needs a password");
  }
  const at = checkPlace(config, text, faults);
  if (at === undefined) return undefined;
  const suffix = database === 0 ? "" : `/${database}`;
  return {
    label: labelOf(at) + suffix,
    at,
    username: text(username, "the user name"),
    password: text(password, "the password"),
    database,
    tls: tls === true ? {} : tls || undefined,
  };
}

type CheckText = (value: unknown, what: string) => string | undefined;

function checkPlace(config: RedisConfig, text: CheckText, faults: string[]): Place | undefined {
  const { host, port, path, sentinel, cluster } = config;
  const ways = [host ?? port, path, sentinel, cluster].filter((way) => way !== undefined);
  if (ways.length > 1) {
    faults.push("only one of host and port, path, sentinel and cluster can be given");
    return undefined;
  }
  if (path !== undefined) {
    if (typeof path !== "string" || path === "" || path === "/") faults.push("the path of the Unix socket is missing");
    return { kind: "socket", path };
  }
  if (cluster !== undefined) {
    return { kind: "cluster", nodes: checkNodes(cluster.nodes, "cluster.nodes", DEFAULT_PORT, faults) };
  }
  if (sentinel !== undefined) {
    const { name, username, password } = sentinel;
    if (typeof name !== "string" || name === "") {
      faults.push("the name of the master is missing: redis+sentinel://host:26379/name");
    }
    return {
      kind: "sentinel",
      hosts: checkNodes(sentinel.hosts, "sentinel.hosts", DEFAULT_SENTINEL_PORT, faults),
      name,
      username: text(username, "the Sentinels' user name"),
      password: text(password, "the Sentinels' password"),
    };
  }
  const [node = { host: "", port: 0 }] = checkNodes(
    [{ host: host ?? "localhost", ...(port === undefined ? {} : { port }) }],
    "",
    DEFAULT_PORT,
    faults,
  );
  return { kind: "host", ...node };
}

function checkNodes(nodes: unknown, list: string, defaultPort: number, faults: string[]): Required<RedisNode>[] {
  if (!Array.isArray(nodes) || nodes.length === 0) {
    faults.push(`${list} is not a list of at least one host`);
    return [];
  }
  return nodes.map((node: Partial<RedisNode> | null, index) => {
    const which = list === "" ? "" : ` of ${list}[${index}]`;
    const { host, port = defaultPort } = node ?? {};
    if (typeof host !== "string" || host === "") faults.push(`the host${which} is missing`);
    if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) {
      faults.push(`the port${which} is not a whole number from 1 to 65535`);
    }
    return { host: String(host), port };
  });
}

function labelOf(at: Place): string {
  const list = (nodes: readonly Required<RedisNode>[]): string => nodes.map(nodeLabel).join(",");
  switch (at.kind) {
    case "host":
      return nodeLabel(at);
    case "socket":
      return at.path;
    case "sentinel":
      return `${at.name} (Sentinels ${list(at.hosts)})`;
    case "cluster":
      return `the cluster ${list(at.nodes)}`;
  }
}

function nodeLabel({ host, port }: Required<RedisNode>): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
