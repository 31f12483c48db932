import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { CachePersistenceLayer } from "@aws-lambda-powertools/idempotency/cache";
import { createClient } from "@redis/client";
import type { Contestant, Subject } from "./contestant.ts";

export const contestant: Contestant = {
  id: "powertools",
  name: "@aws-lambda-powertools/idempotency",
  role: "peer",
  packages: ["@aws-lambda-powertools/idempotency", "@redis/client"],
  client: "node-redis",
  variants: [
    { name: "default", offers: ["guard"], open: (url) => open(url, {}) },
    {
      name: "tuned",
      tuning: "hashes the id only; node-redis pipelines by itself",
      offers: ["guard"],
      open: (url) => open(url, { eventKeyJmesPath: "id" }),
    },
  ],
};

async function open(url: string, options: object): Promise<Subject> {
  const client = createClient({ url });
  await client.connect();
  const persistenceStore = new CachePersistenceLayer({ client: client as never });
  const config = new IdempotencyConfig({ expiresAfterSeconds: 86_400, ...options });
  // As in a Lambda function. Without it, every call would write a warning.
  config.registerLambdaContext({ getRemainingTimeInMillis: () => 30_000 } as never);
  return {
    guard: (handler) => makeIdempotent(handler, { persistenceStore, config, keyPrefix: "bench" }),
    close: () => client.close(),
  };
}
