import { describe } from "../checks.ts";

/**
 * Why a value has no encoding. Each container that it passes on its way out
 * adds where it was, so that the path costs nothing unless it is needed.
 */
export class Unencodable extends Error {
  readonly #subject: unknown;
  #problem: string;
  #path: string[] = [];

  /**
   * @param problem a sentence without its subject: "is a function"
   * @param subject the container that is the problem, if one is
   */
  constructor(problem: string, subject?: object) {
    super();
    this.#problem = problem;
    this.#subject = subject;
  }

  /** "value.items[3].price is a function" */
  override get message(): string {
    return `value${this.#path.join("")} ${this.#problem}`;
  }

  /** Adds a step from `container` to the value. A container met twice is why it went so deep. */
  leaving(container: object, step: string): this {
    if (container === this.#subject) {
      this.#problem = "contains itself";
      this.#path = [];
    } else {
      this.#path.unshift(step);
    }
    return this;
  }
}

/** `.name`, or `["not a name"]`. */
export function propertyStep(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]{0,40}$/u.test(name) ? `.${name}` : `[${describe(name)}]`;
}
