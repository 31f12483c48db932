import { Redis } from "ioredis";

/** A client as ioredis makes it, or with automatic pipelining: the tuning that every library on ioredis can have. */
export async function openIoredis(url: string, enableAutoPipelining = false): Promise<Redis> {
  const client = new Redis(url, { enableAutoPipelining, lazyConnect: true });
  await client.connect();
  return client;
}

/** How "tuned" is described in the tables, for libraries that retry. */
export const TUNED = "automatic pipelining, tries again every millisecond";
