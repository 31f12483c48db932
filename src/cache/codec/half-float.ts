/** IEEE 754 binary16, which JavaScript has no type for (RFC 8949 appendix D). */

const scratch: DataView = new DataView(new ArrayBuffer(4));

/** The 16 bits of `value`, or `undefined` if they would lose something. `value` is a binary32. */
export function toHalfFloat(value: number): number | undefined {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127;
  const fraction = bits & 0x7f_ffff;

  if (exponent === 128) return fraction === 0 ? sign | 0x7c00 : 0x7e00;
  if (exponent === -127) return fraction === 0 ? sign : undefined;
  if (exponent > 15 || exponent < -24) return undefined;
  if (exponent >= -14) {
    return fraction & 0x1fff ? undefined : sign | ((exponent + 15) << 10) | (fraction >> 13);
  }
  // Subnormal: a multiple of 2^-24, the leading one written out.
  const lost = -1 - exponent;
  const significand = fraction | 0x80_0000;
  return significand & ((1 << lost) - 1) ? undefined : sign | (significand >> lost);
}

export function fromHalfFloat(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
