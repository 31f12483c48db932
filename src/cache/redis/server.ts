/** What a server told about itself in its answer to `HELLO`. */
export interface ServerInfo {
  /** `redis`, `valkey`, or what else speaks their protocol; empty when unknown. */
  readonly name: string;
  readonly version: readonly number[];
  /** `master`, `replica`; empty when unknown. */
  readonly role: string;
  /** `standalone`, `cluster`, `sentinel`; empty when unknown. */
  readonly mode: string;
}

export const UNKNOWN_SERVER: ServerInfo = { name: "", version: [], role: "", mode: "" };

/** Reads the answer to `HELLO`, which is a flat list in RESP2 and a map in RESP3. */
export function parseHello(reply: unknown): ServerInfo {
  const fields = new Map<string, string>();
  const pairs = Array.isArray(reply) ? reply : Object.entries(reply ?? {}).flat();
  for (let i = 0; i + 1 < pairs.length; i += 2) fields.set(String(pairs[i]), String(pairs[i + 1]));
  return {
    name: fields.get("server") ?? "",
    version: (fields.get("version") ?? "").split(".").map((part) => Number.parseInt(part, 10) || 0),
    role: fields.get("role") ?? "",
    mode: fields.get("mode") ?? "",
  };
}

/**
 * Which commands may be used instead of scripts. Set from the version, and
 * lowered when the server turns out not to know one after all.
 */
export interface Capabilities {
  /** `SET … NX GET` */
  getOrSet: boolean;
  /** `SET … IFEQ` */
  replaceIfEqual: boolean;
  /** The command that deletes a key with a given value. */
  deleteIfEqual: "DELIFEQ" | "DELEX" | undefined;
  /** Scripts are in the server's cache, so their digest is enough. */
  scriptsLoaded: boolean;
  /** `PUBLISH` is allowed. */
  publish: boolean;
}

export function capabilitiesOf(server: ServerInfo): Capabilities {
  const isValkey = server.name === "valkey";
  const isRedis = server.name === "redis";
  return {
    getOrSet: (isRedis || isValkey) && atLeast(server.version, 7, 0),
    replaceIfEqual: (isValkey && atLeast(server.version, 8, 1)) || (isRedis && atLeast(server.version, 8, 4)),
    deleteIfEqual: deleteCommand(isValkey, isRedis, server.version),
    scriptsLoaded: false,
    publish: true,
  };
}

function deleteCommand(isValkey: boolean, isRedis: boolean, version: readonly number[]): Capabilities["deleteIfEqual"] {
  if (isValkey && atLeast(version, 9, 0)) return "DELIFEQ";
  if (isRedis && atLeast(version, 8, 4)) return "DELEX";
  return undefined;
}

/** What every one of several servers can do. */
export function common(all: readonly Capabilities[]): Capabilities {
  const first = all[0];
  return {
    getOrSet: all.every((one) => one.getOrSet),
    replaceIfEqual: all.every((one) => one.replaceIfEqual),
    deleteIfEqual: all.every((one) => one.deleteIfEqual === first?.deleteIfEqual) ? first?.deleteIfEqual : undefined,
    scriptsLoaded: all.every((one) => one.scriptsLoaded),
    publish: all.every((one) => one.publish),
  };
}

function atLeast(version: readonly number[], major: number, minor: number): boolean {
  const [haveMajor = 0, haveMinor = 0] = version;
  return haveMajor > major || (haveMajor === major && haveMinor >= minor);
}
