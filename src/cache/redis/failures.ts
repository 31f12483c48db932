import { ConnectionError, HoldfastError, OperationError } from "../errors.ts";
import type { Request } from "./request.ts";

/** An error that the server gave as its answer. */
export interface ReplyError extends Error {
  readonly name: "ReplyError";
}

export function isReplyError(error: unknown): error is ReplyError {
  return error instanceof Error && error.name === "ReplyError";
}

/** The first word of a server's error: `NOPERM`, `LOADING`, `ERR`… */
export function replyCode(error: Error): string {
  return /^[A-Z]+/.exec(error.message)?.[0] ?? "";
}

/**
 * The server does not know a command or an option of it, or the user may not run
 * it at all: it has done nothing, and there is another way.
 */
export function isUnavailable(error: unknown): boolean {
  const cause = error instanceof HoldfastError ? error.cause : error;
  return isReplyError(cause) && /^ERR (syntax error|unknown command)|^NOPERM .* to run the /i.test(cause.message);
}

/** What ioredis says of the commands that a broken connection takes with it; not why it broke. */
export function isConnectionLoss(error: Error): boolean {
  return error.message === "Connection is closed." || /^(MaxRetriesPerRequest|Abort)Error$/.test(error.name);
}

/**
 * The error as it may be shown: what lies behind a cluster's summary, and without
 * the command that ioredis attaches, whose arguments are values, or a password.
 */
export function presentable(error: Error): Error {
  const { lastNodeError } = error as { lastNodeError?: unknown };
  if (lastNodeError instanceof Error) return presentable(lastNodeError);
  delete (error as { command?: unknown }).command;
  return error;
}

/** What went wrong in a few words; Node leaves the message of some connection errors empty. */
export function describeFault(error: Error): string {
  const [first]: unknown[] = error instanceof AggregateError ? error.errors : [];
  if (first instanceof Error) return describeFault(first);
  const { message, code, name }: NodeJS.ErrnoException = error;
  // ioredis asks to be told of bytes that it cannot read; that is for servers, not for whatever else answered.
  return message.replace(/\. Please report this\.$|\.$/, "") || (code ?? name);
}

/** The error of an operation whose command failed with `error`. */
export function operationFailure(error: Error, request: Request, address: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const details = { ...subjectOf(request.call), address, cause: presentable(error) };
  if (isReplyError(error)) return replyFailure(error, request, details);
  if (error.message === "Command timed out") return timedOut(request, address);
  if (request.written) {
    return new OperationError(
      `${title(request.call)}: the connection to ${address} broke before the answer came (${describeFault(error)}); ` +
        "whether it was executed is unknown",
      { ...details, code: "ERR_CONNECTION_LOST" },
    );
  }
  return new ConnectionError(
    `${title(request.call)}: nothing was sent to ${address}: ${describeFault(error)}`,
    details,
  );
}

export function timedOut(request: Request, address: string, limitMs?: number): OperationError {
  const limit = limitMs === undefined ? "in time" : `within ${limitMs} ms`;
  return new OperationError(
    `${title(request.call)}: no answer from ${address} ${limit}; whether it was executed is unknown`,
    {
      ...subjectOf(request.call),
      address,
      code: "ERR_CACHE_TIMEOUT",
    },
  );
}

interface Subject {
  readonly operation: string;
  readonly key: string | undefined;
}

interface FailureDetails {
  readonly operation: string;
  readonly key?: string;
  readonly address: string;
  readonly cause: Error;
}

function replyFailure(error: Error, request: Request, details: FailureDetails): HoldfastError {
  const { address } = details;
  const said = `${title(request.call)}: ${address} refused: ${error.message}`;
  // Older servers wrap the error of a command in a script's own message.
  if (/\bOOM command not allowed/.test(error.message)) {
    const full = "out of memory (maxmemory is reached and nothing may be evicted)";
    return new OperationError(`${title(request.call)}: ${address} is ${full}; nothing was written`, {
      ...details,
      code: "ERR_CACHE_FULL",
    });
  }
  switch (replyCode(error)) {
    case "NOPERM":
      return new OperationError(`${said}. Grant the user ${request.name} on this key`, details);
    case "MOVED":
      return new OperationError(`${said}; it is a node of a cluster: connect by redis+cluster://`, details);
    case "READONLY":
      return new OperationError(`${said}; it is a replica now, nothing was written`, details);
    case "WRONGTYPE":
      return new OperationError(`${said}; somebody else stores another type under this key`, details);
    default:
      return new OperationError(said, details);
  }
}

/** The parts of an error that say what it was about. */
export function subjectOf({ operation, key }: Subject): { operation: string; key?: string } {
  return key === undefined ? { operation } : { operation, key };
}

/** How a message begins: `get "invoice:42"`. */
export function title({ operation, key }: Subject): string {
  return key === undefined ? operation : `${operation} "${key}"`;
}
