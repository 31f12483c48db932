import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startServer } from "../../support/redis-server.ts";

describe("the example of tenants", () => {
  let servers: RedisServer[];
  let service: ChildProcess;
  let url: string;

  beforeAll(async () => {
    servers = await Promise.all([startServer(), startServer()]);
    const [one, two] = servers.map((server) => ({ url: server.url }));
    const tenants = { acme: one, globex: one, initech: two, offline: { url: "redis://127.0.0.1:1" } };
    const main = fileURLToPath(new URL("../../../examples/tenants/main.ts", import.meta.url));
    service = spawn(process.execPath, ["--import", "tsx", main, "0"], {
      env: { ...process.env, TENANTS: JSON.stringify(tenants) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(service.stdout as NodeJS.ReadableStream, "data");
    url = /http:\S+/.exec(String(line))?.[0] ?? "";
  }, 60_000);

  afterAll(async () => {
    if (service.exitCode === null) service.kill("SIGKILL");
    await Promise.all(servers.map((server) => server.stop()));
  });

  async function ask(tenant: string, method: string, path: string, body?: object): Promise<[number, unknown]> {
    const response = await fetch(url + path, {
      method,
      headers: { "x-tenant": tenant, ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return [response.status, text && JSON.parse(text)];
  }

  it("keeps the tenants of one server and of two apart", async () => {
    for (const [index, tenant] of ["acme", "globex", "initech"].entries()) {
      expect(await ask(tenant, "PUT", "/stock/anvil", { count: 10 * (index + 1) })).toEqual([204, ""]);
    }
    expect(await ask("acme", "POST", "/orders/anvil", { count: 3 })).toEqual([201, { left: 7 }]);
    expect(await ask("acme", "GET", "/stock/anvil")).toEqual([200, { count: 7 }]);
    expect(await ask("globex", "GET", "/stock/anvil")).toEqual([200, { count: 20 }]);
    expect(await ask("initech", "GET", "/stock/anvil")).toEqual([200, { count: 30 }]);
    expect(await ask("", "GET", "/health")).toMatchObject([200, { connections: 2, tenants: 3 }]);
  });

  it("sells nothing twice when many order at once, and turns away who comes too late", async () => {
    await ask("globex", "PUT", "/stock/rocket", { count: 20 });
    const orders = Array.from({ length: 30 }, () => ask("globex", "POST", "/orders/rocket", { count: 1 }));
    const statuses = (await Promise.all(orders)).map(([status]) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(20);
    expect(statuses.filter((status) => status === 409)).toHaveLength(10);
    expect(await ask("globex", "GET", "/sold/rocket")).toEqual([200, { count: 20 }]);
  });

  it("answers for tenants that are unknown or cannot be reached, and for bad input", async () => {
    expect(await ask("nobody", "GET", "/stock/anvil")).toEqual([404, { error: 'there is no tenant "nobody"' }]);
    expect(await ask("offline", "GET", "/stock/anvil")).toMatchObject([503, {}]);
    expect(await ask("acme", "PUT", "/stock/anvil", { count: -1 })).toMatchObject([400, {}]);
  });

  it("ends by SIGTERM", async () => {
    const exited = once(service, "exit");
    service.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  });
});
