import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "eventemitter3";
import { describe } from "../cache/checks.ts";
import { checkFunction, checkOptions, checkSignal } from "../cache/choices.ts";
import type { Cache } from "../cache/contract.ts";
import { ClosedError, ConfigError } from "../cache/errors.ts";
import { waitFor } from "../runtime/wait-for.ts";
import { Claims } from "./claims.ts";
import type { Connection } from "./connection.ts";
import type { ManagerEvents, ManagerStats } from "./observable.ts";
import { type ManagerOptions, type ManagerSettings, managerSettings } from "./options.ts";
import { Pool } from "./pool.ts";
import { checkPrefix, derivedPrefix } from "./prefix.ts";
import { Stores } from "./store.ts";
import { ofTenant, targetOf } from "./target.ts";
import { TenantCache } from "./tenant-cache.ts";

export interface GetOptions {
  /** Ends the wait of this caller; the connection is opened all the same, for others. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The caches of many tenants, on as few connections as possible.
 *
 * Each tenant's keys are its own: they stand behind a prefix that no other
 * tenant on that database has, or can write a key that begins with.
 */
export class Manager extends EventEmitter<ManagerEvents> implements AsyncDisposable {
  readonly #settings: ManagerSettings;
  readonly #pool: Pool;
  readonly #stores: Stores;
  readonly #claims = new Claims();
  readonly #handles = new Map<string, TenantCache>();
  readonly #context = new AsyncLocalStorage<string | undefined>();
  readonly #counts = { opened: 0, evicted: 0, failed: 0 };
  /** Aborts when the manager is closed. */
  readonly #ended = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(options: ManagerOptions) {
    super();
    this.#settings = managerSettings(options);
    this.#stores = new Stores(this.#settings);
    this.#pool = new Pool({
      ...this.#settings,
      open: (target) => this.#forNobody(() => this.#stores.open(target)),
      onOpened: ({ label: address }) => {
        this.#counts.opened += 1;
        this.#forNobody(() => this.emit("opened", { address }));
      },
      onOpenFailed: ({ label: address }, error) => {
        this.#counts.failed += 1;
        this.#forNobody(() => this.emit("openFailed", { address, error }));
      },
      onEvicted: ({ label: address }, reason) => {
        this.#counts.evicted += 1;
        this.#forNobody(() => this.emit("evicted", { address, reason }));
      },
    });
    this.#settings.telemetry?.observeManager(this);
  }

  /**
   * The cache of a tenant, connected. It is the same object each time, works for as long as the manager does,
   * and is not to be closed: its connection is opened and evicted by the manager.
   *
   * @throws what `resolve` throws
   * @throws ConfigError when what it gives is wrong, or leads to another tenant's keys
   * @throws ConnectionError when the store cannot be reached; the next call tries again
   * @throws ClosedError after `close`
   * @throws the signal's reason
   */
  async get(tenantId: string, options: GetOptions = {}): Promise<Cache> {
    checkTenant(tenantId);
    checkOptions(options, "get");
    const { signal } = options;
    checkSignal(signal);
    signal?.throwIfAborted();
    const handle = this.#handleOf(tenantId);
    if (handle.isConnected) return handle;
    try {
      await waitFor(this.#settings.clock, handle.connect(signal), { signal: this.#ended.signal });
    } catch (error) {
      // Ids that lead nowhere are not remembered.
      if (!handle.isKnown && !handle.isConnecting) this.#forget(tenantId, handle);
      throw error;
    }
    return handle;
  }

  /**
   * Runs `work` for a tenant: `current` finds the tenant in all that is called from it, also after an `await`.
   *
   * @returns what `work` returns
   */
  async run<T>(tenantId: string, work: () => T | Promise<T>): Promise<Awaited<T>> {
    checkTenant(tenantId);
    checkFunction(work, "the work of run");
    this.#checkOpen();
    return await this.#context.run(tenantId, work);
  }

  /** The tenant for whom the calling code runs, if any. */
  get currentTenant(): string | undefined {
    return this.#context.getStore();
  }

  /**
   * The cache of the tenant for whom the calling code runs; see {@link run} and {@link get}.
   *
   * @throws ConfigError outside of `run`
   */
  async current(options?: GetOptions): Promise<Cache> {
    const tenantId = this.currentTenant;
    if (tenantId !== undefined) return this.get(tenantId, options);
    throw new ConfigError("current() was called outside of run(tenantId, …), so there is no tenant", {
      operation: "current",
    });
  }

  stats(): ManagerStats {
    return {
      state: this.#ended.signal.aborted ? "closed" : "open",
      tenants: this.#handles.size,
      connections: this.#pool.open,
      idle: this.#pool.idle,
      opening: this.#pool.opening,
      ...this.#counts,
    };
  }

  /**
   * Ends this manager; idempotent. From now on everything rejects with `ClosedError`; operations under way
   * finish first, then the connections are closed. A lock that is still held is not given back: its holder's
   * signal aborts in time, and it expires. So end what uses the manager first.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#ended.abort(new ClosedError("the manager was closed"));
    await Promise.all([...this.#handles.values()].map((handle) => handle.close()));
    await this.#pool.close();
    await this.#stores.close();
  }

  #handleOf(tenantId: string): TenantCache {
    this.#checkOpen();
    const known = this.#handles.get(tenantId);
    if (known !== undefined) return known;
    const handle: TenantCache = new TenantCache({
      ...this.#settings,
      tenantId,
      acquire: () => this.#acquire(tenantId),
      onClosed: () => this.#forget(tenantId, handle),
    });
    this.#handles.set(tenantId, handle);
    return handle;
  }

  async #acquire(tenantId: string): Promise<{ connection: Connection; keyPrefix: string }> {
    const config = await this.#settings.resolve(tenantId);
    const target = targetOf(config, tenantId);
    const keyPrefix =
      config.keyPrefix === undefined ? derivedPrefix(tenantId) : checkPrefix(config.keyPrefix, tenantId);
    const connection = await this.#pool.acquire(target).catch((error: unknown) => {
      throw ofTenant(tenantId, error);
    });
    try {
      this.#claims.claim(tenantId, { endpoints: target.endpoints, prefix: keyPrefix });
    } catch (error) {
      connection.giveBack();
      throw error;
    }
    return { connection, keyPrefix };
  }

  /** A connection belongs to no tenant, so what it calls back must not run for the one who opened it. */
  #forNobody<T>(callback: () => T): T {
    return this.#context.run(undefined, callback);
  }

  #forget(tenantId: string, handle: TenantCache): void {
    if (this.#handles.get(tenantId) === handle) this.#handles.delete(tenantId);
  }

  #checkOpen(): void {
    this.#ended.signal.throwIfAborted();
  }
}

/**
 * Makes a manager of the caches of many tenants.
 *
 * ```ts
 * const manager = createManager({ resolve: async (tenantId) => ({ url: await directory.urlOf(tenantId) }) });
 * await manager.run("acme", async () => {
 *   await withLock(() => manager.current(), "invoice:42", work);
 * });
 * ```
 *
 * @throws ConfigError when an option is wrong
 */
export function createManager(options: ManagerOptions): Manager {
  return new Manager(options);
}

function checkTenant(tenantId: unknown): asserts tenantId is string {
  if (typeof tenantId !== "string") throw new ConfigError(`a tenant id is a string, not ${describe(tenantId)}`);
}
