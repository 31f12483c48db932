// A user's program: type-checked against the installed package, then run. Uses every entry point.
import { ConnectionError, connect, type Lock } from "holdfast";
import { type Cache, codec, defineKey, typed, unchecked } from "holdfast/cache";
import { idempotentFetch } from "holdfast/http";
import { createManager } from "holdfast/manager";
import { createMemoryCache } from "holdfast/memory";
import { openRedisCache } from "holdfast/redis";
import { telemetry } from "holdfast/telemetry";
import { cacheConformance, ManualClock } from "holdfast/testing";

async function main(): Promise<void> {
  const clock = new ManualClock();
  const cache: Cache = createMemoryCache({ clock });
  await cache.set("answer", codec.encode({ value: 42 }), 1_000);
  const stored: Uint8Array | undefined = await cache.get("answer");
  check(stored !== undefined && JSON.stringify(codec.decode(stored)) === '{"value":42}', "the value comes back");
  await clock.advance(1_000);
  check((await cache.get("answer")) === undefined, "the value expires");
  await cache.close();

  const hold = await connect("memory:", { telemetry: telemetry() });
  const token: number = await hold.withLock("invoice:42", async (lock: Lock) => lock.fencingToken);
  check(Number.isSafeInteger(token), "a lock has a fencing token");
  const ship = hold.idempotent((order: { id: string }) => `shipped ${order.id}`, { name: "ship", key: ({ id }) => id });
  const shipped: string = await ship({ id: "1" });
  check(shipped === "shipped 1", "a guarded handler is called like the handler");
  const respond = idempotentFetch(hold, () => new Response("paid"), { identity: false });
  const refusal: Response = await respond(new Request("http://shop.example/pay", { method: "POST" }));
  check(refusal.status === 400, "a request without a key is refused");
  await hold.close();

  const manager = createManager({ resolve: () => ({ url: "memory:" }) });
  const names = typed(() => manager.current(), defineKey("name:{id}", { ttlMs: 1_000, schema: unchecked<string>() }));
  const name: string | undefined = await manager.run("acme", () => names.getOrCompute({ id: "1" }, () => "Ada"));
  check(name === "Ada", "a tenant has its own values");
  check((await manager.run("globex", () => names.get({ id: "1" }))) === undefined, "and no other has them");
  await manager.close();

  // Nobody listens on port 1.
  const refused: unknown = await openRedisCache("redis://127.0.0.1:1").catch((error: unknown) => error);
  check(refused instanceof ConnectionError, "an error is of the class that the main entry point exports");
  check(typeof cacheConformance === "function", "the conformance suite is there");
  console.log("used");
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not so: ${what}`);
}

void main();
