import type { RedisConfig, RedisNode } from "./options.ts";

/** `redis`, then TLS or not, then what is at the other end. */
const SCHEME = /^(?:redis|valkey)(s?)(?:\+(unix|sentinel|cluster))?:\/\//;

/**
 * Reads `scheme://[user[:password]@]host[:port][,host[:port]…][/path][?query]`.
 * Several hosts make no URL in the sense of the WHATWG, so it is taken apart here.
 *
 * @param faults gets what is wrong with it; never a part of it, which could be a secret
 */
export function parseConnectionUrl(url: string, faults: string[]): RedisConfig {
  const scheme = SCHEME.exec(url);
  if (scheme === null) {
    faults.push("it must begin with redis://, rediss://, redis+unix://, redis+sentinel:// or redis+cluster://");
    return {};
  }
  const [start, secure, kind] = scheme;
  const parts = takeApart(url.slice(start.length), faults);
  const place = parsePlace(kind, parts, faults);
  checkParameters(parts.query, kind === "sentinel" ? ["db", "sentinelUsername", "sentinelPassword"] : ["db"], faults);
  return { ...place, ...parts.credentials, ...(secure === "s" ? { tls: true } : {}) };
}

interface Parts {
  readonly credentials: Pick<RedisConfig, "username" | "password">;
  readonly hosts: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

function takeApart(rest: string, faults: string[]): Parts {
  const [, authority = "", path = "", query = "", hash] = /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(rest) ?? [];
  if (path.includes("@") || query.includes("@") || hash !== undefined) {
    faults.push("the characters / ? # @ in a user name or password are written as %2F %3F %23 %40");
  }
  const at = authority.lastIndexOf("@");
  return {
    credentials: at < 0 ? {} : parseCredentials(authority.slice(0, at), faults),
    hosts: authority.slice(at + 1),
    path,
    query: new URLSearchParams(query),
  };
}

function parsePlace(kind: string | undefined, { hosts, path, query }: Parts, faults: string[]): RedisConfig {
  const [first = "", second = ""] = path.split("/").slice(1);
  const database = (segment: string): Pick<RedisConfig, "database"> => parseDatabase(query.get("db") ?? segment);
  switch (kind) {
    case "unix":
      if (hosts !== "") faults.push("a Unix socket has no host: redis+unix:///path/to/socket");
      return { path: decode(path, "the path", faults), ...database("") };
    case "cluster":
      return { cluster: { nodes: parseHosts(hosts, faults) }, ...database(first) };
    case "sentinel": {
      const name = decode(first, "the name of the master", faults);
      const username = query.get("sentinelUsername");
      const password = query.get("sentinelPassword");
      const credentials = { ...(username === null ? {} : { username }), ...(password === null ? {} : { password }) };
      return { sentinel: { hosts: parseHosts(hosts, faults), name, ...credentials }, ...database(second) };
    }
    default: {
      const [host, ...others] = parseHosts(hosts || "localhost", faults);
      if (others.length > 0) faults.push("several hosts need redis+cluster:// or redis+sentinel://");
      return { ...host, ...database(first) };
    }
  }
}

function parseDatabase(text: string): Pick<RedisConfig, "database"> {
  if (text === "") return {};
  return { database: /^\d+$/.test(text) ? Number(text) : Number.NaN };
}

function parseCredentials(userInfo: string, faults: string[]): Parts["credentials"] {
  const [, user = "", password = ""] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? [];
  return {
    ...(user === "" ? {} : { username: decode(user, "the user name", faults) }),
    ...(password === "" ? {} : { password: decode(password, "the password", faults) }),
  };
}

function parseHosts(text: string, faults: string[]): RedisNode[] {
  return text.split(",").map((part, index) => {
    const match = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(part);
    if (match === null) faults.push(`host ${index + 1} is not of the form host or host:port`);
    const [, v6, host = v6 ?? "", port] = match ?? [];
    return { host, ...(port === undefined ? {} : { port: Number(port) }) };
  });
}

function checkParameters(query: URLSearchParams, known: readonly string[], faults: string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) faults.push(`it has a parameter other than ${known.join(", ")}`);
  }
}

function decode(text: string, what: string, faults: string[]): string {
  try {
    return decodeURIComponent(text);
  } catch {
    faults.push(`${what} has a % that is not followed by two hexadecimal digits`);
    return "";
  }
}
