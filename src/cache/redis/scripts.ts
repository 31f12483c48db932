import { createHash } from "node:crypto";

export interface Script {
  readonly source: string;
  readonly sha1: string;
}

function script(source: string): Script {
  return { source, sha1: createHash("sha1").update(source).digest("hex") };
}

// The announcement is a pcall: a user who may not use the channel must not see a
// write fail that was applied.

/**
 * Replaces the value of a key if it is the expected one; for servers without
 * `SET … IFEQ`.
 *
 * KEYS[1] the key
 * ARGV[1] the expected value
 * ARGV[2] the next value
 * ARGV[3] its TTL in milliseconds; empty: none
 * ARGV[4] the channel of the announcement; empty: no announcement
 * ARGV[5] the announcement
 * Result  1 replaced, 0 nothing was written
 */
export const REPLACE_IF_EQUAL: Script = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if ARGV[4] ~= '' then redis.pcall('PUBLISH', ARGV[4], ARGV[5]) end
return 1
`);

/**
 * Deletes a key if its value is the expected one; for servers with neither
 * `DELIFEQ` nor `DELEX`.
 *
 * KEYS[1] the key
 * ARGV[1] the expected value
 * ARGV[2] the channel of the announcement; empty: no announcement
 * ARGV[3] the announcement
 * Result  1 deleted, 0 nothing was written
 */
export const DELETE_IF_EQUAL: Script = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.pcall('PUBLISH', ARGV[2], ARGV[3]) end
return 1
`);

/**
 * Stores a value only if the key is absent and tells what was there; for servers
 * before 7.0, where `SET` takes either `NX` or `GET`.
 *
 * KEYS[1] the key
 * ARGV[1] the value
 * ARGV[2] its TTL in milliseconds; empty: none
 * Result  the value that was there, or nil when ARGV[1] was stored
 */
export const GET_OR_SET: Script = script(`
local value = redis.call('GET', KEYS[1])
if value then return value end
if ARGV[2] == '' then
  redis.call('SET', KEYS[1], ARGV[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return nil
`);
