import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { freePort } from "../../support/free-port.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { bytes, failureOf, MINUTE } from "./support.ts";

let directory: string;
let server: RedisServer;
let ca: string;
let port: number;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-tls-"));
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  writeFileSync(key, made.private);
  writeFileSync(cert, made.cert);
  ca = made.cert;
  port = await freePort();
  server = await startServer({
    config: {
      "tls-port": port,
      "tls-cert-file": cert,
      "tls-key-file": key,
      "tls-ca-cert-file": cert,
      "tls-auth-clients": "no",
    },
  });
});
afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

it("a trusted certificate: everything works over TLS, watching and reconnecting too", async () => {
  const cache = await openRedisCache({ host: "127.0.0.1", port, tls: { ca } });
  await cache.set("key", bytes("value"), MINUTE);
  let calls = 0;
  await cache.watch("key", () => calls++);
  expect(await cache.compareAndSet("key", bytes("value"), null)).toBe(true);
  await until("the watcher is called", () => calls > 0);
  await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await until("it is connected again", () => cache.health().then(() => true));
  await cache.close();
});

it("a certificate that is not trusted: refused, and the message says what to give", async () => {
  const error = await failureOf(openRedisCache(`rediss://127.0.0.1:${port}`));
  expect(error.code).toBe("ERR_CONNECTION");
  expect(error.message).toMatch(/certificate is not trusted.*tls\.ca/);
});

it("no TLS on a port that wants it: the message says so", async () => {
  const error = await failureOf(openRedisCache(`redis://127.0.0.1:${port}`));
  expect(error.code).toBe("ERR_CONNECTION");
  expect(error.message).toMatch(/rediss:\/\//);
});
