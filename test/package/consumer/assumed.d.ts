// What the snippets of the documents take for granted: the program around them. snippets.test.ts compiles them with it.

import type { PGlite } from "@electric-sql/pglite";
import type { RequestHandler } from "express";
import type { Coordinator } from "holdfast";
import type { Cache, ConnectionError, OperationError } from "holdfast/cache";
import type { ManagerOptions } from "holdfast/manager";

declare global {
  /** From `connect`, as the document has said before. */
  const hold: Coordinator;
  const signal: AbortSignal;

  interface Order {
    readonly id: string;
  }
  const order: Order;
  function ship(order: Order, options?: { readonly signal: AbortSignal }): Promise<string>;
  function tick(fencingToken: number): Promise<void>;
  function work(): Promise<void>;

  const id: string;
  const balance: number;
  const invoice: object;
  const db: Pick<PGlite, "query"> & {
    save(row: object, options: { readonly fence: number; readonly signal: AbortSignal }): Promise<void>;
    findUser(id: string): Promise<{ name: string } | undefined>;
  };
  const page: Uint8Array;
  const printer: { print(page: Uint8Array): Promise<void> };

  /** Where tenants' stores are written down. */
  const directory: { storeOf(tenantId: string): Promise<string> };
  const resolve: ManagerOptions["resolve"];

  const authenticate: RequestHandler;
  function accountOf(request: Request): Promise<string>;
  function pay(payment: unknown): Promise<{ readonly id: string }>;
  // biome-ignore lint/style/noNamespace: it is how Express lets others extend its requests
  namespace Express {
    interface Request {
      readonly user: { readonly id: string };
    }
  }

  /** Some client of a store for which a backend is written. */
  interface Client {
    put(key: string, value: Uint8Array, ttlMs: number, options: { readonly timeoutMs: number }): Promise<void>;
  }
  function openMyCache(url: string): Promise<Cache>;
  function describeFailure(error: unknown, operation: string, key: string): ConnectionError | OperationError;

  /** Put by the test around each call whose result is dropped. */
  function settled<T>(result: T & (T extends PromiseLike<unknown> ? "it lacks an await" : unknown)): void;
}

declare module "fastify" {
  interface FastifyRequest {
    readonly user: { readonly id: string };
  }
}
