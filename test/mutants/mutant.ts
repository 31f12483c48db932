/** A bug that is put into the source on purpose, to see that a test catches it. */
export interface Mutant {
  readonly name: string;
  /** Below `src/`. */
  readonly file: string;
  /** Must occur exactly once: a mutant that no longer fits the source is an error, not a success. */
  readonly search: string;
  readonly replace: string;
}

/** The source with the bug in it. */
export function mutate(source: string, { name, search, replace }: Mutant): string {
  const parts = source.split(search);
  if (parts.length !== 2)
    throw new Error(`mutant "${name}": its text occurs ${parts.length - 1} times instead of once`);
  return parts.join(replace);
}
