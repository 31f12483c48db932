import { decodeRecord } from "../../../src/primitives/lease/record.ts";
import type { Answer, Command } from "../kernel/store.ts";

/** Bytes as a key of a map. */
export function bytesId(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

export function describeCommand(command: Command): string {
  const { key } = command;
  switch (command.name) {
    case "get":
    case "delete":
      return `${command.name} ${key}`;
    case "set":
    case "getOrSet":
      return `${command.name} ${key} ${describeValue(command.value)} (${command.ttlMs} ms)`;
    case "compareAndSet": {
      const { expected, next, ttlMs } = command;
      return `cas ${key} ${describeValue(expected)} → ${describeValue(next)} (${ttlMs} ms)`;
    }
  }
}

export function describeAnswer(answer: Answer): string {
  if (typeof answer === "object" && "wasSet" in answer) return answer.wasSet ? "set" : describeValue(answer.value);
  return answer instanceof Uint8Array ? describeValue(answer) : String(answer);
}

export function describeValue(value: Uint8Array | null): string {
  if (value === null) return "absent";
  const record = decodeRecord(value);
  if (record === undefined) return Buffer.from(value).toString("latin1");
  return `<${record.metadata} ${record.fencingToken}${record.revision ? `/${record.revision}` : ""} ${record.ttlMs}>`;
}
