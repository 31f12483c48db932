import type { CommandArgument } from "./client.ts";

const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
const ZERO = 48;
/** `*` or `$`, a length, and an end of line. */
const LONGEST_HEAD = 1 + 10 + 2;
const END_OF_LINE = 2;
/** A UTF-16 unit is at most 3 bytes of UTF-8. */
const BYTES_PER_UNIT = 3;
/** Up to this length, text is written unit by unit, which is faster than a native call. */
const SHORT = 16;

/**
 * Small requests are written into this and copied out: their length is known only afterwards, and asking for it before
 * costs a native call for each argument.
 */
const scratch = Buffer.allocUnsafeSlow(8 * 1024);

/** A command as it travels: an array of bulk strings in the Redis serialization protocol (RESP). */
export function encodeRequest(name: string, args: readonly CommandArgument[]): Buffer {
  const most = mostBytes(name, args);
  if (most > scratch.length) {
    const large = Buffer.allocUnsafeSlow(most);
    return large.subarray(0, write(large, name, args));
  }
  const length = write(scratch, name, args);
  const request = Buffer.allocUnsafe(length);
  scratch.copy(request, 0, 0, length);
  return request;
}

function mostBytes(name: string, args: readonly CommandArgument[]): number {
  let bytes = LONGEST_HEAD + mostOf(name);
  for (const arg of args) bytes += mostOf(arg);
  return bytes;
}

function mostOf(arg: CommandArgument): number {
  return LONGEST_HEAD + (typeof arg === "string" ? arg.length * BYTES_PER_UNIT : arg.length) + END_OF_LINE;
}

function write(target: Buffer, name: string, args: readonly CommandArgument[]): number {
  let end = writeHead(target, 0, STAR, args.length + 1);
  end = writeText(target, end, name);
  for (const arg of args) end = typeof arg === "string" ? writeText(target, end, arg) : writeBytes(target, end, arg);
  return end;
}

function writeBytes(target: Buffer, at: number, bytes: Buffer): number {
  const start = writeHead(target, at, DOLLAR, bytes.length);
  target.set(bytes, start);
  return writeEnd(target, start + bytes.length);
}

function writeText(target: Buffer, at: number, text: string): number {
  const start = writeHead(target, at, DOLLAR, text.length);
  if (text.length <= SHORT && writeAscii(target, start, text)) return writeEnd(target, start + text.length);
  const length = target.write(text, start);
  // ASCII, nearly always; otherwise the head was wrong.
  if (length === text.length) return writeEnd(target, start + length);
  return writeBytes(target, at, Buffer.from(text));
}

/** Whether all of it was ASCII; if not, it is not written. */
function writeAscii(target: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return false;
    target[at + i] = unit;
  }
  return true;
}

function writeHead(target: Buffer, at: number, type: number, count: number): number {
  target[at] = type;
  let digits = 1;
  for (let power = 10; count >= power; power *= 10) digits++;
  let rest = count;
  for (let i = digits; i > 0; i--) {
    target[at + i] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return writeEnd(target, at + 1 + digits);
}

function writeEnd(target: Buffer, at: number): number {
  target[at] = CR;
  target[at + 1] = LF;
  return at + END_OF_LINE;
}
