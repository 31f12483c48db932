/**
 * The client that the tests run with: ioredis 6, or 5 when HOLDFAST_IOREDIS=5 makes vitest resolve "ioredis" to the
 * alias package "ioredis5", in the sources as well as here.
 */
import { Cluster, Redis } from "ioredis";

export { Cluster, Redis };

/** Disconnects a client; one that has already ended would only set a timer that nobody clears. */
export function disconnect(client: Redis | Cluster): void {
  if (client.status !== "end") client.disconnect();
}
