import { setImmediate } from "node:timers/promises";
import type { Cache } from "../../src/cache/contract.ts";

/** A way of getting the contract wrong. */
export interface Breakage {
  readonly bug: string;
  /** A part of the name of a conformance test that must notice it. */
  readonly noticedBy: string;
  /** The model knows nothing of it: bad arguments, awkward keys, the memory of results, statistics. */
  readonly beyondTheModel?: true;
  breakIt(cache: Cache): Partial<Cache>;
}

const size = (value: Uint8Array | null): number => value?.length ?? 0;
const text = (value: Uint8Array | null | undefined): string => Buffer.from(value ?? []).toString();

/** compareAndSet that takes what is there for what was expected whenever `alike` says so. */
function comparing(alike: (held: Uint8Array, expected: Uint8Array) => boolean): (cache: Cache) => Partial<Cache> {
  return (cache) => ({
    compareAndSet: async (key, expected, ...rest) => {
      const held = await cache.get(key);
      const matches = held && expected && alike(held, expected);
      return cache.compareAndSet(key, matches ? held : expected, ...rest);
    },
  });
}

function withTtl(change: (ttlMs: number) => number): (cache: Cache) => Partial<Cache> {
  return (cache) => ({
    set: (key, value, ttlMs) => cache.set(key, value, change(ttlMs)),
    getOrSet: (key, value, ttlMs) => cache.getOrSet(key, value, change(ttlMs)),
    compareAndSet: (key, expected, next, ttlMs, options) =>
      cache.compareAndSet(key, expected, next, ttlMs === undefined ? ttlMs : change(ttlMs), options),
  });
}

function withKey(change: (key: string) => string): (cache: Cache) => Partial<Cache> {
  const changed = (key: string): string => (typeof key === "string" ? change(key) : key);
  return (cache) => ({
    get: (key) => cache.get(changed(key)),
    set: (key, ...rest) => cache.set(changed(key), ...rest),
    delete: (key) => cache.delete(changed(key)),
    getOrSet: (key, ...rest) => cache.getOrSet(changed(key), ...rest),
    compareAndSet: (key, ...rest) => cache.compareAndSet(changed(key), ...rest),
    watch: (key, ...rest) => cache.watch(changed(key), ...rest),
  });
}

const values: readonly Breakage[] = [
  {
    bug: "an empty value is a miss",
    noticedBy: "no bytes at all",
    breakIt: (cache) => ({ get: async (key) => await cache.get(key).then((v) => (v?.length ? v : undefined)) }),
  },
  {
    bug: "delete of an absent key says true",
    noticedBy: "delete tells whether",
    breakIt: (cache) => ({ delete: async (key) => (await cache.delete(key)) || true }),
  },
  {
    bug: "getOrSet is a get and a set",
    noticedBy: "many concurrent getOrSet",
    breakIt: (cache) => ({
      getOrSet: async (key, value, ttlMs) => {
        const held = await cache.get(key);
        if (held) return { value: held, wasSet: false };
        await cache.set(key, value, ttlMs);
        return { value: new Uint8Array(value), wasSet: true };
      },
    }),
  },
  {
    bug: "getOrSet gives the value that was offered",
    noticedBy: "getOrSet leaves an existing value alone",
    breakIt: (cache) => ({
      getOrSet: async (key, value, ttlMs) => ({ ...(await cache.getOrSet(key, value, ttlMs)), value }),
    }),
  },
  {
    bug: "set reads the caller's array later",
    noticedBy: "set copies",
    breakIt: (cache) => ({
      set: async (...args) => {
        await setImmediate();
        return cache.set(...args);
      },
    }),
  },
  {
    bug: "compareAndSet reads the caller's expected array later",
    noticedBy: "copies what it expects",
    breakIt: (cache) => ({
      compareAndSet: async (...args) => {
        await setImmediate();
        return cache.compareAndSet(...args);
      },
    }),
  },
  {
    bug: "two gets give the same array",
    noticedBy: "changing a result",
    beyondTheModel: true,
    breakIt: (cache) => {
      const given = new Map<string, Uint8Array>();
      return {
        get: async (key) => {
          const value = await cache.get(key);
          const earlier = given.get(key);
          if (value && earlier && text(value) === text(earlier)) return earlier;
          if (value) given.set(key, value);
          return value;
        },
      };
    },
  },
  {
    bug: "results are Buffers",
    noticedBy: "plain Uint8Arrays",
    breakIt: (cache) => ({ get: async (key) => await cache.get(key).then((v) => v && Buffer.from(v)) }),
  },
  {
    bug: "results are views of a shared pool",
    noticedBy: "own their memory",
    beyondTheModel: true,
    breakIt: (cache) => ({
      get: async (key) => {
        const value = await cache.get(key);
        if (!value) return value;
        const pool = new Uint8Array(value.length + 100);
        pool.set(value, 50);
        return pool.subarray(50, 50 + value.length);
      },
    }),
  },
  {
    bug: "a view is stored with all that it is a view of",
    noticedBy: "a view of a part",
    beyondTheModel: true,
    breakIt: (cache) => ({ set: (key, value, ttlMs) => cache.set(key, new Uint8Array(value.buffer ?? value), ttlMs) }),
  },
  {
    bug: "values pass through text",
    noticedBy: "invalid UTF-8",
    breakIt: (cache) => ({
      set: (key, value, ttlMs) => cache.set(key, value instanceof Uint8Array ? Buffer.from(text(value)) : value, ttlMs),
    }),
  },
  {
    bug: "a value of exactly the limit is refused",
    noticedBy: "a value of maxValueBytes",
    beyondTheModel: true,
    breakIt: (cache) => ({
      set: async (key, value, ttlMs) => {
        if (value?.length === 1024 * 1024) throw new Error("too large");
        return cache.set(key, value, ttlMs);
      },
    }),
  },
];

const swaps: readonly Breakage[] = [
  {
    bug: "compareAndSet is a get and a set",
    noticedBy: "concurrent creations",
    breakIt: (cache) => ({
      compareAndSet: async (key, expected, next, ttlMs, options) => {
        const held = await cache.get(key);
        return cache
          .compareAndSet(key, expected === null && !held ? null : expected, next, ttlMs, options)
          .then((won) => {
            if (won || held || expected !== null || next === null) return won;
            return cache.set(key, next, ttlMs ?? 1).then(() => true);
          });
      },
    }),
  },
  { bug: "a prefix matches", noticedBy: "a prefix", breakIt: comparing((held, x) => text(held).startsWith(text(x))) },
  { bug: "compared as text", noticedBy: "invalid UTF-8", breakIt: comparing((held, x) => text(held) === text(x)) },
  {
    bug: "compared up to a zero byte",
    noticedBy: "after a zero byte",
    breakIt: comparing((held, x) => text(held).split("\0")[0] === text(x).split("\0")[0]),
  },
  {
    bug: "compared without case",
    noticedBy: "another case",
    breakIt: comparing((held, x) => text(held).toLowerCase() === text(x).toLowerCase()),
  },
  {
    bug: "expected empty bytes match an absent key",
    noticedBy: "empty bytes do not match",
    breakIt: (cache) => ({
      compareAndSet: async (key, expected, ...rest) => {
        const absent = size(expected) === 0 && (await cache.get(key)) === undefined;
        return cache.compareAndSet(key, absent ? null : expected, ...rest);
      },
    }),
  },
  {
    bug: "delete does not compare",
    noticedBy: "value → null deletes the expected one",
    breakIt: (cache) => ({
      compareAndSet: (key, expected, next, ...rest) =>
        next === null && expected !== null ? cache.delete(key) : cache.compareAndSet(key, expected, next, ...rest),
    }),
  },
  {
    bug: "null → null is false",
    noticedBy: "null to null",
    beyondTheModel: true,
    breakIt: (cache) => ({
      compareAndSet: async (key, expected, next, ...rest) =>
        (expected ?? next) === null ? false : cache.compareAndSet(key, expected, next, ...rest),
    }),
  },
];

const ttls: readonly Breakage[] = [
  {
    bug: "0 is no expiry",
    noticedBy: "a TTL of number 0",
    beyondTheModel: true,
    breakIt: withTtl((ms) => ms || Number.POSITIVE_INFINITY),
  },
  {
    bug: "a text is a TTL",
    noticedBy: 'a TTL of "5"',
    beyondTheModel: true,
    breakIt: withTtl((ms) => (typeof ms === "string" ? 5 : ms)),
  },
  { bug: "-1 is a TTL", noticedBy: "a TTL of number -1", beyondTheModel: true, breakIt: withTtl((ms) => Math.abs(ms)) },
  {
    bug: "a fraction is cut off, to no expiry",
    noticedBy: "never down",
    breakIt: withTtl((ms) => (ms > 0 ? Math.floor(ms) || Number.POSITIVE_INFINITY : ms)),
  },
  {
    bug: "an expired value is there for a millisecond more",
    noticedBy: "absent from the instant it ends",
    breakIt: withTtl((ms) => (ms > 0 ? Math.ceil(ms) + 1 : ms)),
  },
  {
    bug: "Infinity is an hour",
    noticedBy: "a thousand years",
    beyondTheModel: true,
    breakIt: withTtl((ms) => Math.min(ms, 3.6e6)),
  },
  {
    bug: "32 bits of TTL",
    noticedBy: "takes a TTL of 4294967296",
    beyondTheModel: true,
    breakIt: withTtl((ms) => (ms === 2 ** 32 ? 1 : ms)),
  },
  {
    bug: "getOrSet touches the TTL of an existing value",
    noticedBy: "does not touch the TTL",
    breakIt: (cache) => ({
      getOrSet: async (key, value, ttlMs) => {
        const result = await cache.getOrSet(key, value, ttlMs);
        if (!result.wasSet) await cache.compareAndSet(key, result.value, result.value, ttlMs);
        return result;
      },
    }),
  },
  {
    bug: "a failed compareAndSet touches the TTL",
    noticedBy: "does not lengthen it",
    breakIt: (cache) => ({
      compareAndSet: async (key, expected, next, ttlMs, options) => {
        if (await cache.compareAndSet(key, expected, next, ttlMs, options)) return true;
        const held = await cache.get(key);
        if (held && ttlMs !== undefined) await cache.compareAndSet(key, held, held, ttlMs);
        return false;
      },
    }),
  },
  {
    bug: "a renewal does not replace the TTL",
    noticedBy: "the same value (a renewal) replaces the TTL",
    breakIt: (cache) => ({
      compareAndSet: async (key, expected, next, ...rest) => {
        const renewal = size(expected) > 0 && next !== null && text(expected) === text(next);
        if (renewal) return text(await cache.get(key)) === text(expected);
        return cache.compareAndSet(key, expected, next, ...rest);
      },
    }),
  },
  {
    bug: "a renewal brings an expired value back",
    noticedBy: "not brought back",
    breakIt: (cache) => ({
      compareAndSet: async (key, expected, next, ttlMs, options) => {
        const renewal = expected !== null && next !== null && text(expected) === text(next);
        return (
          (await cache.compareAndSet(key, expected, next, ttlMs, options)) ||
          (renewal && cache.compareAndSet(key, null, next, ttlMs, options))
        );
      },
    }),
  },
];

const keys: readonly Breakage[] = [
  {
    bug: "keys are trimmed",
    noticedBy: "spaces inside and around",
    beyondTheModel: true,
    breakIt: withKey((key) => key.trimStart()),
  },
  {
    bug: "keys are normalised",
    noticedBy: "composed",
    beyondTheModel: true,
    breakIt: withKey((key) => key.normalize()),
  },
  {
    bug: "keys are cut",
    noticedBy: "share their first 1,000 bytes",
    beyondTheModel: true,
    breakIt: withKey((key) => (key.length > 1_000 && key.length < 1_020 ? key.slice(0, 1_000) : key)),
  },
  {
    bug: "long keys are cut to fit",
    noticedBy: "1,025 bytes",
    beyondTheModel: true,
    breakIt: withKey((key) => key.slice(0, 1_024)),
  },
  {
    bug: "keys end at a zero byte",
    noticedBy: "a zero byte",
    beyondTheModel: true,
    breakIt: withKey((key) => key.split("\0")[0] ?? ""),
  },
  {
    bug: "a bad key throws at once",
    noticedBy: "an empty key",
    beyondTheModel: true,
    breakIt: (cache) => ({
      get: (key) => {
        if (key === "") throw new Error("empty");
        return cache.get(key);
      },
    }),
  },
  {
    bug: "the value is checked before the key",
    noticedBy: "set checks in this order",
    beyondTheModel: true,
    breakIt: (cache) => ({
      set: async (key, value, ttlMs) => {
        if (!(value instanceof Uint8Array)) await cache.set("key", value, 1);
        return cache.set(key, value, ttlMs);
      },
    }),
  },
];

const watches: readonly Breakage[] = [
  {
    bug: "watch resolves before it is active",
    noticedBy: "is active when it resolves",
    breakIt: (cache) => ({
      watch: async (key, onChange) => {
        const watching = setImmediate().then(() => cache.watch(key, onChange));
        watching.catch(() => {});
        return async () => (await watching)();
      },
    }),
  },
  {
    bug: "a watch calls once",
    noticedBy: "is called again for each later change",
    breakIt: (cache) => ({
      watch: (key, onChange) => {
        let called = false;
        return cache.watch(key, () => {
          if (!called) onChange();
          called = true;
        });
      },
    }),
  },
  {
    bug: "unwatch does nothing",
    noticedBy: "unwatch ends the calls",
    breakIt: (cache) => ({ watch: async (...args) => (await cache.watch(...args)) && (async () => {}) }),
  },
  {
    bug: "one watcher per key",
    noticedBy: "every watcher of a key",
    breakIt: (cache) => {
      const current = new Map<string, () => void>();
      return {
        watch: (key, onChange) => {
          current.set(key, onChange);
          return cache.watch(key, () => current.get(key) === onChange && onChange());
        },
      };
    },
  },
  {
    bug: "deletions are not announced",
    noticedBy: "compareAndSet that deletes, by",
    breakIt: (cache) => ({
      compareAndSet: (key, expected, next, ttlMs) =>
        cache.compareAndSet(key, expected, next, ttlMs, { announce: next ? "watchers" : "none" }),
    }),
  },
  {
    bug: "an expiry is not announced",
    noticedBy: "is called when the value expires",
    breakIt: (cache) => {
      let changes = 0;
      return {
        compareAndSet: (...args) => {
          changes += 1;
          return cache.compareAndSet(...args);
        },
        watch: (key, onChange) => cache.watch(key, () => changes-- > 0 && onChange()),
      };
    },
  },
  {
    bug: "a renewal is announced",
    noticedBy: "is not called on a renewal",
    breakIt: (cache) => {
      const watchers = new Set<() => void>();
      return {
        watch: async (key, onChange) => {
          watchers.add(onChange);
          return cache.watch(key, onChange);
        },
        compareAndSet: async (...args) => {
          if (text(args[1]) === text(args[2])) for (const watcher of watchers) watcher();
          return cache.compareAndSet(...args);
        },
      };
    },
  },
];

const lives: readonly Breakage[] = [
  {
    bug: "close does nothing",
    noticedBy: "after close",
    beyondTheModel: true,
    breakIt: () => ({ close: async () => {} }),
  },
  {
    bug: "a second close rejects",
    noticedBy: "close is idempotent",
    beyondTheModel: true,
    breakIt: (cache) => {
      let closed = false;
      return {
        close: async () => {
          if (closed) throw new Error("closed already");
          closed = true;
          await cache.close();
        },
      };
    },
  },
  {
    bug: "health does not mind being closed",
    noticedBy: "after close",
    beyondTheModel: true,
    breakIt: () => ({ health: async () => {} }),
  },
  {
    bug: "ordered is claimed, and set comes later",
    noticedBy: "in the order of calling",
    breakIt: (cache) => ({
      ordered: true,
      set: async (key, value, ttlMs) => {
        const own = value instanceof Uint8Array ? new Uint8Array(value) : value;
        await setImmediate();
        return cache.set(key, own, ttlMs);
      },
    }),
  },
  {
    bug: "a miss is an error",
    noticedBy: "hits and misses",
    beyondTheModel: true,
    breakIt: (cache) => ({
      stats: () => ({ ...cache.stats(), misses: 0, errors: cache.stats().misses }),
    }),
  },
  {
    bug: "stats are live",
    noticedBy: "plain data, and a copy",
    beyondTheModel: true,
    breakIt: (cache) => ({
      stats: () => ({
        ...cache.stats(),
        get operations() {
          return cache.stats().operations;
        },
      }),
    }),
  },
];

export const breakages: readonly Breakage[] = [...values, ...swaps, ...ttls, ...keys, ...watches, ...lives];

/** The cache with some of its methods replaced. */
export function broken(cache: Cache, { breakIt }: Breakage): Cache {
  const overrides: Partial<Cache> = breakIt(cache);
  return new Proxy(cache, {
    get: (target, property: keyof Cache) => {
      const own = target[property];
      return overrides[property] ?? (typeof own === "function" ? own.bind(target) : own);
    },
  });
}
