import { setTimeout as sleep } from "node:timers/promises";
import type { Cache } from "../../../src/cache/contract.ts";
import type { CacheInput, CacheOutput } from "../../linearizability/models.ts";
import { nowMs } from "../../support/shared-clock.ts";
import { pick } from "./luck.ts";
import { REGISTERS } from "./settings.ts";
import type { Worker } from "./worker.ts";

/** Keys are exchanged this often, so that the history of each is short enough to be judged. */
const ROTATE_MS = 3_000;
const LONG_TTL_MS = 20_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const toText = (bytes: Uint8Array | undefined): string | null => (bytes ? decoder.decode(bytes) : null);
const toBytes = (text: string | null): Uint8Array | null => (text === null ? null : encoder.encode(text));

/** Plain operations on a few keys that all processes use, each written down before and after. */
export async function useRegisters({ journal, settings, report, stopped }: Worker, cache: Cache): Promise<void> {
  /** What this loop has last seen under a key: what it expects to be there. */
  let seen: { key: string; value: string | null } = { key: "", value: null };
  while (!stopped.aborted) {
    const register = pick(REGISTERS);
    const key = `${register}${Math.floor(nowMs() / ROTATE_MS)}`;
    if (seen.key !== key) seen = { key, value: null };
    const id = journal.newId();
    const input = newInput(key, seen.value, `${settings.name}#${id}`);
    journal.write({ type: "call", id, at: nowMs(), input });
    try {
      const output = await perform(cache, input);
      journal.write({ type: "answer", id, at: nowMs(), output });
      seen.value = valueAfter(input, output);
      report({ type: "answered", register });
      await sleep(20 + Math.random() * 50);
    } catch (error) {
      journal.write({ type: "failure", id, at: nowMs(), code: (error as { code?: string }).code ?? String(error) });
      seen.value = null;
      await sleep(100 + Math.random() * 200);
    }
  }
}

function newInput(key: string, expected: string | null, value: string): CacheInput {
  const ttlMs = Math.random() < 0.2 ? 300 + Math.random() * 1_200 : LONG_TTL_MS;
  const luck = Math.random();
  if (luck < 0.3) return { name: "get", key };
  if (luck < 0.4) return { name: "delete", key };
  if (luck < 0.55) return { name: "set", key, value, ttlMs };
  if (luck < 0.7) return { name: "getOrSet", key, value, ttlMs };
  const next = expected !== null && Math.random() < 0.2 ? null : value;
  return { name: "compareAndSet", key, expected, next, ttlMs };
}

async function perform(cache: Cache, input: CacheInput): Promise<CacheOutput> {
  switch (input.name) {
    case "get":
      return { value: toText(await cache.get(input.key)) };
    case "delete":
      return { done: await cache.delete(input.key) };
    case "set":
      await cache.set(input.key, encoder.encode(input.value), input.ttlMs);
      return {};
    case "getOrSet": {
      const { value, wasSet } = await cache.getOrSet(input.key, encoder.encode(input.value), input.ttlMs);
      return { value: toText(value), done: wasSet };
    }
    case "compareAndSet": {
      const { key, expected, next, ttlMs } = input;
      return { done: await cache.compareAndSet(key, toBytes(expected), toBytes(next), ttlMs) };
    }
    case "wipe":
      throw new Error("Nothing that a client can do");
  }
}

function valueAfter(input: CacheInput, { value, done }: CacheOutput): string | null {
  if (value !== undefined) return value;
  if (input.name === "set") return input.value;
  return input.name === "compareAndSet" && done ? input.next : null;
}
