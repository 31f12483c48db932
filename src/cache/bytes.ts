/** A copy that shares no memory with `bytes`, as a plain `Uint8Array` even when a `Buffer` is given. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  // Not `slice`: a Buffer's slice is a view of the same memory.
  return new Uint8Array(bytes);
}

/**
 * A copy for a short while, out of Node's pool of small buffers. One that is kept keeps its neighbours alive, up to
 * 8 KiB; but it costs a third of {@link copyBytes}, and nothing to the garbage collector: every `Uint8Array` of more
 * than 64 bytes has memory of its own outside the heap, and the sweeping of that is what makes pauses long.
 */
export function copyBriefly(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

/** Whether two byte strings are the same, byte for byte. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}
