import { contestant as bentocache } from "./bentocache.ts";
import { contestant as cacheManager } from "./cache-manager.ts";
import { contestant as cacheable } from "./cacheable.ts";
import { contestant as cborX } from "./cbor-x.ts";
import type { Contestant, Variant } from "./contestant.ts";
import { contestant as floor } from "./floor.ts";
import { contestant as holdfast } from "./holdfast.ts";
import { contestant as ioredfour } from "./ioredfour.ts";
import { contestant as json } from "./json.ts";
import { contestant as microfleetIoredisLock } from "./microfleet-ioredis-lock.ts";
import { contestant as nodeIdempotency } from "./node-idempotency.ts";
import { contestant as powertools } from "./powertools.ts";
import { contestant as redisSemaphore } from "./redis-semaphore.ts";
import { contestant as redlockUniversal } from "./redlock-universal.ts";
import { contestant as redlock4 } from "./redlock4.ts";
import { contestant as redlock5 } from "./redlock5.ts";
import { contestant as sesamecareRedlock } from "./sesamecare-redlock.ts";
import { contestant as simpleRedisMutex } from "./simple-redis-mutex.ts";
import { contestant as verrou } from "./verrou.ts";

/** All, in the order in which tables show them. */
export const CONTESTANTS: readonly Contestant[] = [
  holdfast,
  floor,
  json,
  redlock5,
  redlock4,
  sesamecareRedlock,
  redisSemaphore,
  redlockUniversal,
  microfleetIoredisLock,
  verrou,
  simpleRedisMutex,
  ioredfour,
  powertools,
  nodeIdempotency,
  bentocache,
  cacheable,
  cacheManager,
  cborX,
];

/** A contestant in one of its variants, the unit that is measured and compared. */
export interface Entry {
  /** `redlock 5 beta (tuned)`; the key of its results. */
  readonly name: string;
  readonly contestant: Contestant;
  readonly variant: Variant;
}

export const ENTRIES: readonly Entry[] = CONTESTANTS.flatMap((contestant) =>
  contestant.variants.map((variant) => ({
    name: variant.name === "default" ? contestant.name : `${contestant.name} (${variant.name})`,
    contestant,
    variant,
  })),
);
