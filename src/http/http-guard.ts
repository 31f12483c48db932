import { describe } from "../cache/checks.ts";
import { checkFunction } from "../cache/choices.ts";
import { CodecError, ConfigError } from "../cache/errors.ts";
import type { IdempotentContext } from "../primitives/idempotency/context.ts";
import { fingerprint } from "../primitives/idempotency/fingerprint.ts";
import type { Idempotent } from "../primitives/idempotency/idempotent.ts";
import { type KeptResponse, type PassedResponse, replayed } from "./kept-response.ts";
import { readKey } from "./key.ts";
import type { GuardMaker, HttpIdempotencySettings } from "./options.ts";
import { badKey, notKept, problemFor } from "./problems.ts";

/** A request as the guard wants it. */
export interface GuardedRequest {
  readonly request: Request;
  /** Who is asking; `false`: all callers are one. */
  readonly identity: (() => string | Promise<string>) | false;
  /** What two requests must have in common. */
  readonly payload: () => unknown;
  /** Handles the request, and gives what can be kept of the response. */
  readonly run: (context: IdempotentContext) => Promise<KeptResponse | PassedResponse>;
}

/** What is to be sent. `"own"`: what `run` has made; if it is kept at all, it is recorded by now. */
export type Verdict = { readonly send: "own" } | { readonly send: "answer"; readonly response: Response };

interface Input {
  readonly key: string;
  readonly payload: unknown;
  readonly run: GuardedRequest["run"];
}

/** Carries a response past the guard that is not to be kept. */
class NotKept extends Error {}

/** Carries what the handler threw past those who look for the guard's own errors. */
class Thrown extends Error {}

/**
 * The guard of handlers, for requests: what is common to all frameworks. Follows
 * draft-ietf-httpapi-idempotency-key-header.
 */
export class HttpGuard {
  readonly #settings: HttpIdempotencySettings;
  readonly #guarded: Idempotent<Input, KeptResponse | PassedResponse>;

  constructor(maker: GuardMaker, settings: HttpIdempotencySettings) {
    checkFunction(maker?.idempotent, "hold.idempotent", "that of a coordinator");
    this.#settings = settings;
    this.#guarded = maker.idempotent((input: Input, context) => this.#run(input, context), {
      ...settings.guard,
      key: ({ key }) => key,
      fingerprint: ({ payload }) => payload,
    });
  }

  /** Whether a request is none of the guard's business. */
  passes(method: string, hasKey: boolean): boolean {
    const { methods, required } = this.#settings;
    return !methods.has(method) || (!required && !hasKey);
  }

  /** Rejects with what `run` rejects with, and with errors that are not the client's to see. */
  async handle(guarded: GuardedRequest): Promise<Verdict> {
    const header = guarded.request.headers.get("idempotency-key");
    if (header === null) return answer(badKey("This request needs an Idempotency-Key header."));
    const read = readKey(header);
    if ("fault" in read) return answer(badKey(`${read.fault}.`));
    const key = `${await scopeOf(guarded)}:${read.key}`;
    const payload = await guarded.payload();
    try {
      const { outcome, value } = await this.#guarded.outcome({ key, payload, run: guarded.run });
      if (outcome === "executed") return { send: "own" };
      return answer(responseOf(value));
    } catch (error) {
      if (error instanceof NotKept) return { send: "own" };
      if (error instanceof Thrown) throw error.cause;
      const problem = problemFor(error);
      if (problem === undefined) throw error;
      return answer(problem);
    }
  }

  async #run({ run }: Input, context: IdempotentContext): Promise<KeptResponse | PassedResponse> {
    const { keep, replayHeaders } = this.#settings;
    const made = await run(context).catch((error: unknown) => {
      throw new Thrown("the handler threw", { cause: error });
    });
    if ("passed" in made) return made;
    if (!keep(made.status)) throw new NotKept("not kept");
    return { ...made, headers: made.headers.filter(([name]) => replayHeaders.has(name.toLowerCase())) };
  }
}

/** Method, path and caller, of whatever length, as the beginning of a key. */
async function scopeOf({ request, identity }: GuardedRequest): Promise<string> {
  const caller = identity && (await identity());
  if (caller !== false && (typeof caller !== "string" || caller.length === 0)) {
    throw new ConfigError(`identity gave ${describe(caller)}; it must give a non-empty string for every request`);
  }
  const scope = [request.method, new URL(request.url).pathname, caller];
  return Buffer.from(fingerprint(scope, "http")).toString("base64url");
}

/** @throws CodecError if what was recorded, by another program perhaps, is no response */
function responseOf(recorded: KeptResponse | PassedResponse): Response {
  try {
    return "passed" in recorded ? notKept(recorded.passed) : replayed(recorded);
  } catch (cause) {
    throw new CodecError("what was recorded for this Idempotency-Key is no response", { operation: "replay", cause });
  }
}

function answer(response: Response): Verdict {
  return { send: "answer", response };
}
