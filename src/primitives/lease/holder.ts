import { hostname } from "node:os";
import type { Clock } from "../../runtime/clock.ts";
import { systemClock } from "../../runtime/system-clock.ts";

/** A name for a holder that people can read and no two processes share: `host:pid:random`. */
export function newHolder(clock: Clock): string {
  return `${hostname()}:${process.pid}:${Buffer.from(clock.randomBytes(6)).toString("hex")}`;
}

let own: string | undefined;

/** This process, when nobody gave it a name. */
export function defaultHolder(): string {
  own ??= newHolder(systemClock);
  return own;
}
