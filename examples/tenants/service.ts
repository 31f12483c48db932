/**
 * A stock service for several tenants: whose stock it is says the header `x-tenant` of each request.
 *
 * The handlers know nothing of tenants. They use the cache of the current one, wherever that is.
 */

import Fastify, { type FastifyInstance } from "fastify";
import { z } from "zod";
import { ConnectionError, defineKey, typed } from "../../src/cache/index.ts"; // in your own program: "holdfast/cache"
import { LockTimeoutError, withLock } from "../../src/index.ts"; // "holdfast"
import { createManager, type Manager } from "../../src/manager/index.ts"; // "holdfast/manager"
import { telemetry } from "../../src/telemetry/index.ts"; // "holdfast/telemetry"
import type { Directory } from "./directory.ts";

const Count = z.object({ count: z.int().nonnegative() });
const stock = defineKey("stock:{item}", { ttlMs: Number.POSITIVE_INFINITY, schema: Count });
const sold = defineKey("sold:{item}", { ttlMs: Number.POSITIVE_INFINITY, schema: Count });

type Item = { Params: { item: string } };

export function createService(directory: Directory): FastifyInstance {
  const manager = createManager({
    resolve: (tenantId) => directory.find(tenantId) ?? unknownTenant(tenantId),
    telemetry: telemetry(),
  });
  const app = Fastify();
  app.get("/health", async () => manager.stats());
  app.register(async (tenants) => routes(tenants, manager));
  app.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    return reply.code(status).send({ error: status === 500 ? "internal error" : (error as Error).message });
  });
  app.addHook("onClose", () => manager.close());
  return app;
}

async function routes(app: FastifyInstance, manager: Manager): Promise<void> {
  const tenant = () => manager.current();
  const stocks = typed(tenant, stock);
  const sales = typed(tenant, sold);

  // Who is unknown, or whose store cannot be reached, is turned away here; the rest runs for the tenant.
  app.addHook("onRequest", async ({ headers }) => {
    await manager.get(String(headers["x-tenant"]));
  });
  app.addHook("preHandler", ({ headers }, _reply, next) => {
    manager.run(String(headers["x-tenant"]), next).catch(next);
  });

  app.get<Item>("/stock/:item", async ({ params }) => (await stocks.get(params)) ?? { count: 0 });

  app.put<Item>("/stock/:item", async ({ params, body }, reply) => {
    await stocks.set(params, Count.parse(body));
    return reply.code(204).send();
  });

  app.get<Item>("/sold/:item", async ({ params }) => (await sales.get(params)) ?? { count: 0 });

  app.post<Item>("/orders/:item", async ({ params, body }, reply) => {
    const { count } = Count.parse(body);
    // Two values change together, so they change under a lock. For one alone, `update` would do.
    return withLock(tenant, params.item, async () => {
      const { count: left } = (await stocks.get(params)) ?? { count: 0 };
      if (left < count) return reply.code(409).send({ error: "out of stock", left });
      await stocks.set(params, { count: left - count });
      await sales.update(params, (old = { count: 0 }) => ({ count: old.count + count }));
      return reply.code(201).send({ left: left - count });
    });
  });
}

class UnknownTenantError extends Error {}

function unknownTenant(tenantId: string): never {
  throw new UnknownTenantError(`there is no tenant "${tenantId}"`);
}

function statusOf(error: unknown): number {
  if (error instanceof UnknownTenantError) return 404;
  if (error instanceof z.ZodError) return 400;
  if (error instanceof LockTimeoutError || error instanceof ConnectionError) return 503;
  return 500;
}
