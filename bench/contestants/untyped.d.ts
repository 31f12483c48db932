// Packages whose types TypeScript does not find, as far as they are used here.

declare module "redlock5" {
  interface Settings {
    readonly retryCount: number;
    readonly retryDelay: number;
    readonly retryJitter: number;
  }
  export default class Redlock {
    constructor(clients: readonly object[], settings?: Partial<Settings>);
    acquire(keys: readonly string[], ttlMs: number): Promise<{ release(): Promise<unknown> }>;
  }
}

declare module "redlock4" {
  interface Settings {
    readonly retryCount: number;
    readonly retryDelay: number;
    readonly retryJitter: number;
  }
  export default class Redlock {
    constructor(clients: readonly object[], settings?: Partial<Settings>);
    lock(key: string, ttlMs: number): Promise<{ unlock(): Promise<unknown> }>;
  }
}

declare module "ioredfour" {
  export default class Lock {
    constructor(options: { readonly redis: object; readonly namespace: string });
    waitAcquireLock(key: string, ttlMs: number, waitMs: number): Promise<{ readonly success: boolean }>;
    releaseLock(lock: object): Promise<unknown>;
  }
}
