import { createServer as createTcpServer, type Server } from "node:net";
import { inspect } from "node:util";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { ConfigError, ConnectionError } from "../../../src/cache/errors.ts";
import { openRedisCache, type RedisCacheOptions, type RedisConfig } from "../../../src/cache/redis/index.ts";
import { freePort } from "../../support/free-port.ts";
import { disconnect, Redis } from "../../support/ioredis.ts";
import { type RedisSentinel, startSentinel } from "../../support/redis-sentinel.ts";
import { type RedisServer, type ServerOptions, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { bytes } from "./support.ts";

const SECRET = "s3cret/pa@ss";

describe("connecting to a store that is there", () => {
  const opened: RedisServer[] = [];
  afterAll(() => Promise.all(opened.map((server) => server.stop())));

  const start = async (options: ServerOptions = {}): Promise<RedisServer> => {
    const server = await startServer(options);
    opened.push(server);
    return server;
  };

  const works = async (target: string | RedisConfig): Promise<void> => {
    const cache = await openRedisCache(target);
    try {
      await cache.set("key", bytes("value"), 60_000);
      expect(await cache.get("key")).toEqual(bytes("value"));
      const unwatch = await cache.watch("key", () => {});
      await unwatch();
    } finally {
      await cache.close();
    }
  };

  it("by host and port", async () => {
    const { host, port, url } = await start();
    await works(url);
    await works({ host, port });
  });

  it("through a Unix socket", async () => {
    const { socketPath } = await start();
    await works(`redis+unix://${socketPath}`);
    await works({ path: socketPath });
  });

  it("with a password, and as an ACL user", async () => {
    const { host, port } = await start({
      lines: [`user default on >${SECRET} ~* &* +@all`, `user app on >${SECRET} ~* &* +@all`],
    });
    const encoded = encodeURIComponent(SECRET);
    await works(`redis://:${encoded}@${host}:${port}`);
    await works(`redis://app:${encoded}@${host}:${port}`);
    await works({ host, port, username: "app", password: SECRET });
  });

  it("in another database, which it keeps over a reconnect", async () => {
    const server = await start();
    for (const target of [`${server.url}/3`, `redis+unix://${server.socketPath}?db=3`]) {
      const cache = await openRedisCache(target);
      await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await until("it is connected again", () => cache.health().then(() => true));
      await cache.set(target, bytes("value"), 60_000);
      await cache.close();
    }
    expect(String(await server.command("INFO", "keyspace"))).toContain("db3:keys=2");
    expect(await server.command("DBSIZE")).toBe(0);
  });

  it("under the name holdfast, which operators see", async () => {
    const server = await start();
    const cache = await openRedisCache(server.url);
    expect(String(await server.command("CLIENT", "LIST"))).toContain("name=holdfast");
    await cache.close();
  });
});

describe("connecting to a store that is of no use fails at once, and says why", () => {
  const leftovers: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(leftovers.splice(0).map((each) => each.stop()));
  });

  const start = async (options: ServerOptions = {}): Promise<RedisServer> => {
    const server = await startServer(options);
    leftovers.push(server);
    return server;
  };

  const failure = async (target: string | RedisConfig, options: RedisCacheOptions = {}): Promise<ConnectionError> => {
    const error = await openRedisCache(target, options).then(
      (cache) => cache.close().then(() => undefined),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConnectionError);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/s3cret/);
    return error as ConnectionError;
  };

  it("nothing listens there", async () => {
    const port = await freePort();
    const error = await failure(`redis://user:s3cret@127.0.0.1:${port}`);
    expect(error.address).toBe(`127.0.0.1:${port}`);
    expect(error.message).toMatch(/ECONNREFUSED.*Nothing listens there/);
    expect(error.cause).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("there is no such socket", async () => {
    expect((await failure("redis+unix:///tmp/holdfast-no-such.sock")).message).toMatch(/no such socket/);
  });

  it("the host has no address", async () => {
    expect((await failure("redis://holdfast.invalid")).message).toMatch(/host name could not be resolved/);
  });

  it("a wrong password, a wrong user, no password", async () => {
    const { host, port } = await start({ lines: ["user default on >right ~* &* +@all"] });
    const wrong = /name or the password is wrong/;
    expect((await failure(`redis://:s3cret@${host}:${port}`)).message).toMatch(wrong);
    expect((await failure(`redis://nobody:s3cret@${host}:${port}`)).message).toMatch(wrong);
    expect((await failure(`redis://${host}:${port}`)).message).toMatch(/wants a password and none was given/);
  });

  it("a database that the server does not have: no key is written into another one", async () => {
    const server = await start({ config: { databases: 4 } });
    expect((await failure(`${server.url}/4`)).message).toMatch(/no database of that number/);
  });

  it("it is loading its data", async () => {
    const server = await start({
      config: { "enable-debug-command": "yes", "key-load-delay": 300, "loading-process-events-interval-bytes": 1024 },
    });
    const client = server.client();
    await client.call("DEBUG", "POPULATE", "20000", "key", "100");
    client.disconnect();
    await server.command("SAVE");
    await server.kill();
    // It answers the whole time that it takes to load, which is why its start is not waited for here.
    const started = server.start();
    await until("the server says that it is loading", async () =>
      /LOADING.*is loading its data/.test((await failure(server.url)).message),
    );
    await server.kill();
    await started.catch(() => {});
  });

  it("it is a replica", async () => {
    const master = await start();
    const replica = await start({ config: { replicaof: `${master.host} ${master.port}` } });
    expect((await failure(replica.url)).message).toMatch(/is a replica and takes no writes/);
  });

  it("it is a Sentinel", async () => {
    const sentinel = await startSentinel();
    leftovers.push(sentinel);
    const [first] = sentinel.sentinels;
    expect((await failure(`redis://127.0.0.1:${first?.port}`)).message).toMatch(/is a Sentinel/);
  });

  it.each(["redis", "rediss", "redis+cluster"])(
    "it answers nothing on %s://: within the connect limit",
    async (scheme) => {
      const silent = await listen((socket) => socket.resume());
      leftovers.push(silent);
      const begunMs = performance.now();
      const { message } = await failure(`${scheme}://127.0.0.1:${silent.port}`, { connectTimeoutMs: 300 });
      expect(performance.now() - begunMs).toBeGreaterThan(290);
      expect(message).toMatch(/No connection to .*127.0.0.1.* within 300 ms, and no error either/);
      expect(message).toMatch(scheme === "rediss" ? /may not speak TLS/ : /may hang/);
    },
  );

  it("it hangs", async () => {
    const server = await start();
    server.pause();
    const { message } = await failure(server.url, { connectTimeoutMs: 300 });
    expect(message).toMatch(/within 300 ms, and no error either: it may hang/);
    server.resume();
  });

  it.each(["just now", "long ago"])("the client that is handed in was closed: %s", async (when) => {
    const { host, port } = await start();
    const lent = new Redis(port, host);
    const ended = new Promise((resolve) => lent.once("end", resolve));
    await lent.quit();
    if (when === "long ago") await ended;
    await expect(openRedisCache(lent)).rejects.toThrow(/the client that was handed in was closed/);
  });

  it.each(["redis", "rediss", "redis+cluster"])("it closes every connection of %s://", async (scheme) => {
    const rude = await listen((socket) => socket.destroy());
    leftovers.push(rude);
    const { message } = await failure(`${scheme}://127.0.0.1:${rude.port}`);
    expect(message).toMatch(/No connection to .*127\.0\.0\.1.* accepted the connection and closed it again/);
    expect(message).toMatch(/maxclients.*proxy.*TLS/);
  });

  it("it closes every connection of a client that goes on trying: says how many", async () => {
    let accepted = 0;
    const rude = await listen((socket) => {
      accepted += 1;
      socket.end();
    });
    leftovers.push(rude);
    const lent = new Redis(rude.port, "127.0.0.1", { retryStrategy: () => 10, disconnectTimeout: 10 });
    lent.on("error", () => {});
    const error = await openRedisCache(lent, { connectTimeoutMs: 1_000 }).catch((reason: unknown) => reason);
    disconnect(lent);
    expect(error).toBeInstanceOf(ConnectionError);
    const [, closed] = /accepted each of (\d+) connections and closed it again/.exec((error as Error).message) ?? [];
    expect(Number(closed)).toBeGreaterThan(1);
    expect(Number(closed)).toBeLessThanOrEqual(accepted);
  });

  it("it is no Redis", async () => {
    const other = await listen((socket) => socket.write("220 mail.example.com ESMTP\r\n"));
    leftovers.push(other);
    expect((await failure(`redis://127.0.0.1:${other.port}`)).message).toMatch(/That is no Redis/);
  });

  it("it does not speak TLS", async () => {
    const { host, port } = await start();
    const { message } = await failure(`rediss://${host}:${port}`, { connectTimeoutMs: 300 });
    expect(message).toMatch(/may not speak TLS/);
  });

  it("it is no cluster", async () => {
    const { host, port } = await start();
    expect((await failure(`redis+cluster://${host}:${port}`)).message).toMatch(/no node of a cluster/);
  });

  it("it is a cluster that is not complete", async () => {
    const { host, port } = await start({ config: { "cluster-enabled": "yes", "cluster-port": await freePort() } });
    expect((await failure(`redis+cluster://${host}:${port}`)).message).toMatch(/No connection to the cluster/);
  });

  it("no Sentinel is there", async () => {
    const { message } = await failure(`redis+sentinel://127.0.0.1:${await freePort()}/holdfast`);
    expect(message).toMatch(/sentinels are unreachable.*Are they started/);
    // ioredis disconnects a client that has ended already, and its timer for that runs for 2 s.
    await until("ioredis has cleared up", () => !process.getActiveResourcesInfo().includes("Timeout"), {
      everyMs: 100,
    });
  });

  it("the Sentinels do not know the name", async () => {
    const sentinel: RedisSentinel = await startSentinel();
    leftovers.push(sentinel);
    const { message } = await failure(sentinel.url.replace(/[^/]+$/, "unknown"));
    expect(message).toMatch(/do not know a master of that name/);
  });

  it("too many clients are connected", async () => {
    const server = await start({ config: { maxclients: 1 } });
    const cache: Cache = await openRedisCache(server.url);
    const { message } = await failure(server.url).finally(() => cache.close());
    // The server says why and closes. A reset by what we write meanwhile can swallow what it said; what to do is known.
    expect(message).toMatch(/max number of clients|closed it again/);
    expect(message).toMatch(/maxclients/);
  });
});

describe("connecting with bad options", () => {
  it.each<[string, RedisCacheOptions]>([
    ["a prefix that opens a hash tag", { keyPrefix: "shop:{" }],
    ["a prefix with an empty hash tag", { keyPrefix: "shop:{}:" }],
    ["a limit of null", { operationTimeoutMs: null as never }],
    ["a size of null", { maxValueBytes: null as never }],
    ["no object", null as never],
    ["a limit of 0", { operationTimeoutMs: 0 }],
    ["a limit that is no number", { connectTimeoutMs: Number.NaN }],
    ["a size that is no number", { maxValueBytes: Number.NaN }],
  ])("%s is a ConfigError, before anything is sent", async (_, options) => {
    await expect(openRedisCache("redis://127.0.0.1:1", options)).rejects.toThrow(ConfigError);
  });
});

interface Listener {
  readonly port: number;
  stop(): Promise<void>;
}

/** A server that is not what one expects. */
async function listen(onConnection: Parameters<typeof createTcpServer>[1]): Promise<Listener> {
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection?.(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
