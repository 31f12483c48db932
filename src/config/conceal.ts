import { inspect } from "node:util";

const HIDDEN = "[hidden]";

/** Keeps the named properties of an object out of `console.log`, `util.inspect` and `JSON.stringify`; all else sees them. */
export function conceal<T extends object>(object: T, ...secrets: readonly (keyof T)[]): T {
  const shown = (): object => ({
    ...object,
    ...Object.fromEntries(secrets.filter((name) => object[name] !== undefined).map((name) => [name, HIDDEN])),
  });
  for (const name of ["toJSON", inspect.custom]) Object.defineProperty(object, name, { value: shown });
  return object;
}
