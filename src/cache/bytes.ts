/** A copy that shares no memory with `bytes`, as a plain `Uint8Array` even when a `Buffer` is given. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  // Not `slice`: a Buffer's slice is a view of the same memory.
  return new Uint8Array(bytes);
}

/** Whether two byte strings are the same, byte for byte. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}
