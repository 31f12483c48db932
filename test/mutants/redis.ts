import type { Mutant } from "./mutant.ts";

const ALARM = "cache/redis/expiry-alarm.ts";
const SERVER = "cache/redis/server.ts";
const DEADLINES = "cache/redis/deadlines.ts";
const SCRIPTS = "cache/redis/scripts.ts";
const COMMANDS = "cache/redis/commands.ts";

/** Bugs of the Redis backend that show without a server. */
export const redis: readonly Mutant[] = [
  {
    name: "version 9.0 counts as older than 8.1",
    file: SERVER,
    search: "return haveMajor > major || (haveMajor === major && haveMinor >= minor);",
    replace: "return haveMajor >= major && haveMinor >= minor;",
  },
  {
    name: "a server is believed to know a command a version too early",
    file: SERVER,
    search: "(isValkey && atLeast(server.version, 8, 1))",
    replace: "(isValkey && atLeast(server.version, 8, 0))",
  },
  {
    name: "a cluster can what one of its nodes can",
    file: SERVER,
    search: "replaceIfEqual: all.every(",
    replace: "replaceIfEqual: all.some(",
  },
  {
    name: "an expiry alarm takes an answer for as new as its arrival",
    file: ALARM,
    search: "remainingMs - ageMs);",
    replace: "remainingMs);",
  },
  {
    name: "an expiry alarm that cannot find out is silent",
    file: ALARM,
    search: "this.#options.readRemainingMs().catch(() => ABSENT);",
    replace: "this.#options.readRemainingMs().catch(() => NO_EXPIRY);",
  },
  {
    name: "a late answer overrules what was announced since",
    file: ALARM,
    search: "if (generation !== this.#generation) return;",
    replace: "",
  },
  {
    name: "an expiry alarm goes off for a key that was never there",
    file: ALARM,
    search: "await this.#look(() => {});",
    replace: "await this.#look(this.#options.onExpired);",
  },
  {
    name: "deadlines are kept in the order of their adding",
    file: DEADLINES,
    search: "before.deadlineMs > entry.deadlineMs) before",
    replace: "before.deadlineMs < 0) before",
  },
  {
    name: "an event loop that was blocked fails what has been answered meanwhile",
    file: DEADLINES,
    search: "if (nowMs - dueMs > BLOCKED_MS) return this.#setTimer(nowMs + 1);",
    replace: "",
  },
];

/** Bugs that only a server can show. */
export const commands: readonly Mutant[] = [
  {
    name: "the script that replaces a value does not compare it",
    file: SCRIPTS,
    search: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\nif ARGV[3]",
    replace: "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end\nif ARGV[3]",
  },
  {
    name: "the script that replaces a value keeps the old TTL",
    file: SCRIPTS,
    search: "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])",
    replace: "redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')",
  },
  {
    name: "the script that deletes a value does not compare it",
    file: SCRIPTS,
    search: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\nredis.call('DEL', KEYS[1])",
    replace: "if redis.call('DEL', KEYS[1]) == 0 then return 0 end",
  },
  {
    name: "a deletion by script is announced to nobody",
    file: SCRIPTS,
    search: "if ARGV[2] ~= '' then redis.pcall('PUBLISH', ARGV[2], ARGV[3]) end",
    replace: "",
  },
  {
    name: "a write fails that was applied because its announcement is forbidden",
    file: SCRIPTS,
    search: "redis.pcall('PUBLISH', ARGV[4], ARGV[5])",
    replace: "redis.call('PUBLISH', ARGV[4], ARGV[5])",
  },
  {
    name: "getOrSet overwrites",
    file: COMMANDS,
    search: 'const args = [call.fullKey, value, "NX", "GET", ...px(ttlMs)];',
    replace: 'const args = [call.fullKey, value, "GET", ...px(ttlMs)];',
  },
  {
    name: "a compare-and-set from absent overwrites",
    file: COMMANDS,
    search: '"SET", [call.fullKey, next, "NX", ...px(ttlMs)], isOk);',
    replace: '"SET", [call.fullKey, next, ...px(ttlMs)], isOk);',
  },
  {
    name: "a value without expiry gets one",
    file: COMMANDS,
    search: 'return ttlMs === Number.POSITIVE_INFINITY ? [] : ["PX", String(ttlMs)];',
    replace: 'return ["PX", String(Math.min(ttlMs, 1_000_000))];',
  },
  {
    name: "a renewal is announced",
    file: "cache/redis/redis-cache.ts",
    search: 'announce: options?.announce !== "none" && !isRenewal,',
    replace: 'announce: options?.announce !== "none",',
  },
  {
    name: "watchers are not called when their connection is there again",
    file: "cache/redis/watches.ts",
    search: "options.subscriber.onGap = () => this.wakeAll();",
    replace: "options.subscriber.onGap = () => {};",
  },
  {
    name: "what was in flight when the connection broke is sent again",
    file: "cache/redis/request.ts",
    search: "if (this.settled || (this.written && this.owner.writesOnce)) return NOTHING;",
    replace: "if (this.settled && this.written && !this.owner.writesOnce) return NOTHING;",
  },
];
