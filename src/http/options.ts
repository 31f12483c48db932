import { describe } from "../cache/checks.ts";
import { checkFunction, checkList, checkOneOf, checkOptions } from "../cache/choices.ts";
import { ConfigError } from "../cache/errors.ts";
import type { IdempotentHandler } from "../primitives/idempotency/context.ts";
import type { Idempotent } from "../primitives/idempotency/idempotent.ts";
import type { IdempotentOptions } from "../primitives/idempotency/options.ts";

/** What makes guards: a `Coordinator`, or `{ idempotent }` over a cache of your own. */
export interface GuardMaker {
  idempotent<Input, Result>(
    handler: IdempotentHandler<Input, Result>,
    options: IdempotentOptions<Input>,
  ): Idempotent<Input, Result>;
}

/** The options of the guard underneath that make sense for requests. */
type GuardOptions = Pick<
  IdempotentOptions<unknown>,
  "resultTtlMs" | "leaseTtlMs" | "waitMs" | "whenStoreDown" | "maxRunMs" | "memo"
>;

/** @typeParam Req the framework's own request */
export interface HttpIdempotencyOptions<Req> extends GuardOptions {
  /**
   * Who is asking: a user, an account, an API key. Keys of different callers never
   * meet, so that nobody can be given another's response by guessing a key.
   * `false`: all callers are one, which is right only if they all trust each other.
   */
  readonly identity: ((request: Req) => string | Promise<string>) | false;
  /** Keeps the requests of one service apart from other guards on the same store. Default `"http"`. */
  readonly name?: string | undefined;
  /** Requests with other methods pass unguarded. Default `POST` and `PATCH`. */
  readonly methods?: readonly string[] | undefined;
  /** Whether a request without the header is refused (400) or passes unguarded. Default `true`: refused. */
  readonly required?: boolean | undefined;
  /** What a request gets while the first with its key is being handled: 409 (default), or it waits up to `waitMs`. */
  readonly whenInProgress?: "reject" | "wait" | undefined;
  /**
   * What two requests with one key must have in common. Default the query and the
   * body: by its data if it is JSON, otherwise by its bytes.
   */
  readonly fingerprint?: ((request: Req) => unknown) | undefined;
  /** Whether a response is kept, by its status. Default those below 500: after others, a retry is handled anew. */
  readonly keep?: ((status: number) => boolean) | undefined;
  /** Headers that are kept with a response, in addition to the default ones. Never keep `set-cookie`. */
  readonly replayHeaders?: readonly string[] | undefined;
  /** A response with a longer body is passed on as it comes, and not kept. Default 512 KiB. */
  readonly maxBodyBytes?: number | undefined;
}

export interface HttpIdempotencySettings {
  readonly guard: GuardOptions & Pick<IdempotentOptions<unknown>, "name" | "whenInProgress" | "maxResultBytes">;
  readonly methods: ReadonlySet<string>;
  readonly required: boolean;
  readonly keep: (status: number) => boolean;
  readonly replayHeaders: ReadonlySet<string>;
  readonly maxBodyBytes: number;
}

/** What says what a body is, where a response leads, and which state it is of. */
const REPLAY_HEADERS: readonly string[] = [
  "content-type",
  "content-language",
  "content-encoding",
  "content-disposition",
  "content-location",
  "location",
  "link",
  "etag",
  "last-modified",
  "vary",
];

const MAX_BODY_BYTES: number = 512 * 1024;

/** Room for status and headers. */
const HEADERS_BYTES: number = 64 * 1024;

/** What a codec can be made to take. */
const LONGEST_BODY_BYTES: number = 256 * 1024 * 1024 - HEADERS_BYTES;

/** A handler that never answers must not hold its key for ever. */
const MAX_RUN_MS = 300_000;

/** Fills in the defaults. Throws `ConfigError` naming the option that is wrong. */
export function httpSettings<Req>(options: HttpIdempotencyOptions<Req>): HttpIdempotencySettings {
  checkOptions(options, "an HTTP guard");
  const {
    identity,
    name = "http",
    methods = ["POST", "PATCH"],
    required = true,
    whenInProgress = "reject",
    fingerprint,
    keep = (status) => status < 500,
    replayHeaders = [],
    maxBodyBytes = MAX_BODY_BYTES,
    ...guard
  } = options;
  if (typeof identity !== "function" && identity !== false) {
    throw new ConfigError(
      `identity is ${describe(identity)}; it must be a function that says who is asking, or false if all callers are one`,
    );
  }
  checkList(methods, "methods", "an array of methods", isToken);
  if (methods.length === 0) throw new ConfigError("methods is empty, so nothing would be guarded");
  checkOneOf(required, "required", [true, false]);
  if (fingerprint !== undefined) checkFunction(fingerprint, "fingerprint", "a function of the request");
  checkFunction(keep, "keep", "a function of the status");
  checkList(replayHeaders, "replayHeaders", "an array of names of headers", isToken);
  if (!Number.isSafeInteger(maxBodyBytes) || maxBodyBytes < 0 || maxBodyBytes > LONGEST_BODY_BYTES) {
    throw new ConfigError(
      `maxBodyBytes is ${describe(maxBodyBytes)}; it must be a whole number of bytes from 0 to ${LONGEST_BODY_BYTES}`,
    );
  }
  return {
    guard: { maxRunMs: MAX_RUN_MS, ...guard, name, whenInProgress, maxResultBytes: maxBodyBytes + HEADERS_BYTES },
    methods: new Set(methods.map((method) => method.toUpperCase())),
    required,
    keep,
    replayHeaders: new Set([...REPLAY_HEADERS, ...replayHeaders.map((header) => header.toLowerCase())]),
    maxBodyBytes,
  };
}

/** The names of methods and headers are tokens (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;

function isToken(value: unknown): boolean {
  return typeof value === "string" && TOKEN.test(value);
}
