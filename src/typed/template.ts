import { describe } from "../cache/checks.ts";
import { ConfigError, OperationError } from "../cache/errors.ts";

/** The names between braces: `"id" | "lang"` for `"user:{id}:{lang}"`. */
type NamesIn<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;

/** What a template needs to become a key: one string for each name between braces. */
export type KeyParameters<Template extends string> = string extends Template
  ? Readonly<Record<string, string>>
  : { readonly [Name in NamesIn<Template>]: string };

/**
 * A key with places for parameters.
 *
 * Parameters are written with RFC 3986 percent-encoding: letters, digits and
 * `- . _ ~` stay as they are, every other character becomes `%XX`. So no
 * parameter can contain what separates it from the next one, and two different
 * lists of parameters never make the same key.
 */
export interface Template {
  readonly text: string;
  /** @throws OperationError `ERR_INVALID_KEY` when a parameter is missing, no string, or not well-formed */
  render(parameters: Readonly<Record<string, string>>): string;
}

const NAME = /^[A-Za-z_]\w*$/;
/** A character that no encoded parameter contains. */
const SEPARATOR = /[^\w.~-]/;

/** @throws ConfigError naming what is wrong with the template */
export function parseTemplate(text: string): Template {
  if (typeof text !== "string" || text === "") throw invalid(text, "it must be a non-empty string");
  // Odd parts stand between braces.
  const parts = text.split(/\{([^{}]*)\}/);
  const literals = parts.filter((_, index) => index % 2 === 0);
  const names = parts.filter((_, index) => index % 2 === 1);
  checkLiterals(text, literals);
  checkNames(text, names);
  return {
    text,
    render: (parameters) =>
      names.reduce((key, name, index) => key + encode(text, name, parameters) + literals[index + 1], literals[0] ?? ""),
  };
}

function checkLiterals(text: string, literals: readonly string[]): void {
  if (!text.isWellFormed()) throw invalid(text, "it has a lone surrogate");
  if (literals.some((literal) => /[{}]/.test(literal))) {
    throw invalid(text, 'its braces do not match; a parameter is written as "{name}"');
  }
  if (text.includes("%")) throw invalid(text, 'it contains "%", with which parameters are encoded');
  if (literals.slice(1, -1).some((literal) => !SEPARATOR.test(literal))) {
    throw invalid(text, 'between two parameters there must be a character that no parameter contains, such as ":"');
  }
}

function checkNames(text: string, names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    if (!NAME.test(name)) throw invalid(text, `"{${name}}" is no parameter: a name has letters, digits and _`);
    if (names.indexOf(name) !== index) throw invalid(text, `the parameter "${name}" occurs twice`);
  }
}

function encode(template: string, name: string, parameters: Readonly<Record<string, string>>): string {
  const value: unknown = Object.hasOwn(parameters ?? {}, name) ? parameters[name] : undefined;
  if (typeof value !== "string" || !value.isWellFormed()) {
    throw new OperationError(
      `the parameter "${name}" of the key "${template}" is ${describe(value)}; it must be a well-formed string`,
      { code: "ERR_INVALID_KEY", key: template },
    );
  }
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function invalid(text: unknown, problem: string): ConfigError {
  return new ConfigError(`defineKey: the template ${describe(text)} is not usable: ${problem}`);
}
