import type { StandardSchemaV1 } from "@standard-schema/spec";
import { CodecError, type ErrorDetails, HoldfastError } from "../cache/errors.ts";

/** A value does not fit the schema of its key: one that was to be written, or one that the store holds. */
export class ValidationError extends CodecError {
  static override readonly kind: string = "ValidationError";
  static override readonly code: string = "ERR_VALIDATION";
  /** What the schema found, with the path of each fault. */
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(message: string, details: ErrorDetails & { readonly issues: readonly StandardSchemaV1.Issue[] }) {
    super(message, details);
    this.issues = details.issues;
  }
}

/** Somebody else was computing the value for longer than `waitMs`. */
export class ComputeTimeoutError extends HoldfastError {
  static override readonly kind: string = "ComputeTimeoutError";
  static override readonly code: string = "ERR_COMPUTE_TIMEOUT";
}
