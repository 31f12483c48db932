import { isIPv6 } from "node:net";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { ConfigError } from "../errors.ts";
import { parseConnectionUrl } from "./connection-url.ts";
import type { RedisConfig } from "./options.ts";

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

/** A `RedisNode` with its port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export type Place =
  | ({ readonly kind: "host" } & Endpoint)
  | { readonly kind: "socket"; readonly path: string }
  | {
      readonly kind: "sentinel";
      readonly hosts: readonly Endpoint[];
      readonly name: string;
      readonly username: string | undefined;
      readonly password: string | undefined;
    }
  | { readonly kind: "cluster"; readonly nodes: readonly Endpoint[] };

const PROPERTIES = ["host", "port", "path", "username", "password", "database", "tls", "sentinel", "cluster"];
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
  if (!checkShape(config, "it", PROPERTIES, faults)) return undefined;
  const { database = 0, tls, cluster } = config;
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
  const username = text(config.username, "the user name");
  const password = text(config.password, "the password");
  if (username !== undefined && password === undefined) faults.push("a user name needs a password");
  const at = checkPlace(config, text, faults);
  if (at === undefined) return undefined;
  const suffix = database === 0 ? "" : `/${database}`;
  return {
    label: labelOf(at) + suffix,
    at,
    username,
    password,
    database,
    tls: tls === true ? {} : tls || undefined,
  };
}

type CheckText = (value: unknown, what: string) => string | undefined;

function checkPlace(config: RedisConfig, text: CheckText, faults: string[]): Place | undefined {
  const { port, path, sentinel, cluster } = config;
  const { host = port === undefined ? undefined : "localhost" } = config;
  const ways = [host, path, sentinel, cluster].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    const problem = ways.length === 0 ? "it does not say where the server is: one" : "only one";
    faults.push(`${problem} of host and port, path, sentinel and cluster can be given`);
    return undefined;
  }
  if (path !== undefined) {
    if (typeof path !== "string" || path === "" || path === "/") faults.push("the path of the Unix socket is missing");
    return { kind: "socket", path };
  }
  if (cluster !== undefined) {
    if (!checkShape(cluster, "cluster", ["nodes"], faults)) return undefined;
    return { kind: "cluster", nodes: checkNodes(cluster.nodes, "cluster.nodes", DEFAULT_PORT, faults) };
  }
  if (sentinel !== undefined) return checkSentinel(sentinel, text, faults);
  return { kind: "host", ...checkNode({ host, port }, "", DEFAULT_PORT, faults) };
}

function checkSentinel(
  sentinel: NonNullable<RedisConfig["sentinel"]>,
  text: CheckText,
  faults: string[],
): Place | undefined {
  if (!checkShape(sentinel, "sentinel", ["hosts", "name", "username", "password"], faults)) return undefined;
  const { hosts, name, username, password } = sentinel;
  if (typeof name !== "string" || name === "") {
    faults.push("the name of the master is missing: redis+sentinel://host:26379/name");
  }
  return {
    kind: "sentinel",
    hosts: checkNodes(hosts, "sentinel.hosts", DEFAULT_SENTINEL_PORT, faults),
    name,
    username: text(username, "the Sentinels' user name"),
    password: text(password, "the Sentinels' password"),
  };
}

function checkNodes(nodes: unknown, list: string, defaultPort: number, faults: string[]): Endpoint[] {
  if (Array.isArray(nodes) && nodes.length > 0) {
    return nodes.map((node, index) => {
      const which = `${list}[${index}]`;
      if (!checkShape(node, which, ["host", "port"], faults)) return { host: "", port: defaultPort };
      return checkNode(node, ` of ${which}`, defaultPort, faults);
    });
  }
  faults.push(`${list} is not a list of at least one host`);
  return [];
}

function checkNode(
  node: { readonly host: string | undefined; readonly port?: number | undefined },
  which: string,
  defaultPort: number,
  faults: string[],
): Endpoint {
  const { host, port = defaultPort } = node;
  if (!isHost(host)) faults.push(`the host${which} is missing, or is not just a name or an IP address`);
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) {
    faults.push(`the port${which} is not a whole number from 1 to 65535`);
  }
  return { host: String(host), port };
}

/** A name or an IP address; no URL, no port. */
export function isHost(host: string | undefined): boolean {
  return typeof host === "string" && (isIPv6(host) || /^[^\s:/?#@,[\]]+$/.test(host));
}

/** What is misspelt would be passed over, and a default take its place. */
function checkShape(value: unknown, what: string, properties: readonly string[], faults: string[]): boolean {
  if (typeof value !== "object" || value === null) faults.push(`${what} is not an object`);
  else if (Object.keys(value).every((name) => properties.includes(name))) return true;
  else faults.push(`${what} has properties other than ${properties.join(", ")}`);
  return false;
}

function labelOf(at: Place): string {
  const list = (nodes: readonly Endpoint[]): string => nodes.map(nodeLabel).join(",");
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

function nodeLabel({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
