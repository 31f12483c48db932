const SLOTS = 1024;

/**
 * The property names that were read last, found by their bytes.
 *
 * The same few names come again and again, and half of the time that it takes to
 * read an object is spent on making strings that the engine accepts as names.
 * Names that fall into one slot replace each other, which costs time and nothing
 * else.
 */
export class NameCache {
  readonly #names: string[] = new Array<string>(SLOTS).fill("");

  /** The text of the ASCII bytes from `start` to `end`, or `undefined` if it is not known. */
  get(bytes: Uint8Array, start: number, end: number): string | undefined {
    const name = this.#names[slotOf(bytes, start, end)] as string;
    if (name.length !== end - start) return undefined;
    for (let i = 0; i < name.length; i++) {
      if (name.charCodeAt(i) !== bytes[start + i]) return undefined;
    }
    return name;
  }

  /** Keeps what the bytes from `start` to `end` were read as. */
  set(bytes: Uint8Array, start: number, end: number, name: string): void {
    // As many units as bytes means ASCII. The units of any other text may be the bytes of ill-formed UTF-8.
    if (name.length === end - start) this.#names[slotOf(bytes, start, end)] = name;
  }
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  return hash & (SLOTS - 1);
}
