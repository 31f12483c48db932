import { ConnectionError, HoldfastError } from "../errors.ts";
import { describeFault, isConnectionLoss, isReplyError, presentable, replyCode } from "./failures.ts";

export interface Attempt {
  /** How messages name the other end. */
  readonly address: string;
  readonly connectTimeoutMs: number;
  readonly usesTls: boolean;
}

/**
 * The error of a connection that could not be made: which server, what is wrong, what to do.
 *
 * @param closed how many connections the other end has accepted and then closed, as far as the client tells
 */
export function connectFailure(error: unknown, attempt: Attempt, closed: number): ConnectionError {
  const { address } = attempt;
  if (error instanceof ConnectionError && error.cause === undefined) return error;
  const fault = rootOf(error);
  if (wasRefused(fault, closed)) {
    return new ConnectionError(`No connection to ${address}: ${refusal(attempt, closed)}`, { address, cause: fault });
  }
  if (fault === undefined) {
    return new ConnectionError(`No connection to ${address} ${silence(attempt)}`, { address });
  }
  const advice = adviceOn(fault);
  return new ConnectionError(`No connection to ${address}: ${describeFault(fault)}.${advice && ` ${advice}`}`, {
    address,
    cause: fault,
  });
}

function silence({ connectTimeoutMs, usesTls }: Attempt): string {
  const meaning = usesTls ? NO_TLS : "it may hang";
  return `within ${connectTimeoutMs} ms, and no error either: ${meaning}, or a firewall swallows what is sent`;
}

/** Whether the other end has closed the connection without a word. */
function wasRefused(fault: Error | undefined, closed: number): boolean {
  if (fault === undefined) return closed > 0;
  return isConnectionLoss(fault) || ["ECONNRESET", "EPIPE"].includes(codeOf(fault));
}

/** What a server that has too many clients says is often lost, since it does not wait for us to read it. */
function refusal({ usesTls }: Attempt, closed: number): string {
  const what = closed > 1 ? `each of ${closed} connections` : "the connection";
  return (
    `the other end accepted ${what} and closed it again. A server may have too many clients (its maxclients), ` +
    `a proxy may have no server behind it, or ${usesTls ? NO_TLS : "it may want TLS on this port (rediss://)"}`
  );
}

const NO_TLS = "it may not speak TLS on this port (redis:// is without)";

/** What lies behind our own errors. */
function rootOf(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof HoldfastError && error.code !== "ERR_CACHE_TIMEOUT") return rootOf(error.cause);
  return presentable(error);
}

function adviceOn(fault: Error): string {
  return isReplyError(fault) ? adviceOnReply(fault) : adviceOnSocket(fault);
}

function adviceOnReply(fault: Error): string {
  switch (replyCode(fault)) {
    case "NOAUTH":
      return "The server wants a password and none was given";
    case "WRONGPASS":
      return "The user name or the password is wrong, or the user is disabled";
    case "NOPERM":
      return "The user lacks a permission that every connection needs";
    case "LOADING":
      return "The server is loading its data; try again when it is done";
    case "MASTERDOWN":
      return "The server is a replica that has lost its master";
    case "DENIED":
      return "The server is in protected mode: it has no password and takes local connections only";
  }
  if (/max number of clients/i.test(fault.message)) return "Raise its maxclients, or close connections nobody needs";
  if (/DB index/i.test(fault.message)) return "The server has no database of that number";
  if (/cluster support disabled/i.test(fault.message)) return "The server is no node of a cluster: use redis://";
  return "";
}

function codeOf(fault: Error): string {
  const { code = "" } = fault instanceof AggregateError ? (fault.errors[0] ?? {}) : (fault as NodeJS.ErrnoException);
  return code;
}

function adviceOnSocket(fault: Error): string {
  const code = codeOf(fault);
  switch (code) {
    case "ECONNREFUSED":
      return "Nothing listens there: is the server started, and are host and port right?";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "The host name could not be resolved";
    case "ENOENT":
      return "There is no such socket: is the server started, and is the path right?";
    case "EACCES":
      return "This process may not use the socket";
    case "EPROTO":
      return "The server does not speak TLS on this port: use redis://";
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return "Its certificate is not trusted: give the authority's as tls.ca";
  if (/No such master/i.test(fault.message)) return "The Sentinels do not know a master of that name";
  if (/sentinels are unreachable/i.test(fault.message)) return "Are they started, and are hosts and ports right?";
  if (/^Protocol error|Unknown RESP type/.test(fault.message))
    return "That is no Redis; a port that wants TLS needs rediss://";
  return "";
}
