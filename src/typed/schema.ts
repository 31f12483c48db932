import type { StandardSchemaV1 } from "@standard-schema/spec";
import { ValidationError } from "./errors.ts";

/**
 * A schema that takes every value as a `T` without looking at it.
 *
 * ```ts
 * const session = defineKey("session:{id}", { ttlMs: 60_000, schema: unchecked<Session>() });
 * ```
 */
export function unchecked<T>(): StandardSchemaV1<T> {
  return { "~standard": { version: 1, vendor: "holdfast", validate: (value) => ({ value: value as T }) } };
}

/**
 * What the schema makes of a value.
 *
 * @param doing `"write"` or `"read"`, for the message
 * @throws ValidationError
 */
export async function validate<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
  key: string,
  doing: "write" | "read",
): Promise<StandardSchemaV1.InferOutput<S>> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return result.value;
  const which = doing === "write" ? "the value to write" : "the stored value";
  throw new ValidationError(`${doing} "${key}": ${which} does not fit the schema: ${describeIssues(result.issues)}`, {
    key,
    operation: doing,
    issues: result.issues,
  });
}

function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  return issues
    .map(({ path, message }) => (path?.length ? `${path.map(segmentName).join(".")}: ` : "") + message)
    .join("; ");
}

function segmentName(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
  return String(typeof segment === "object" ? segment.key : segment);
}
