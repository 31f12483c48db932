/** How `Date` and the date tags of RFC 8949 §3.4 become one another. */

const MAX_DATE_MS = 8.64e15;

/** RFC 3339: the syntax is checked here, the calendar below. */
const RFC_3339: RegExp = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * The date that many seconds after the epoch, to the nearest millisecond, or
 * `undefined` outside the range of `Date`.
 *
 * The whole and the fractional part are scaled apart: a product with 1,000 is
 * off by up to two milliseconds near the ends of that range.
 */
export function dateFromSeconds(seconds: number): Date | undefined {
  const whole = Math.trunc(seconds);
  const ms = whole * 1000 + Math.round((seconds - whole) * 1000);
  return Math.abs(ms) <= MAX_DATE_MS ? new Date(ms) : undefined;
}

/** The date of an RFC 3339 text, or `undefined`. Digits beyond milliseconds are cut off. */
export function dateFromText(text: string): Date | undefined {
  const [, day, time, fraction = "", zone] = RFC_3339.exec(text) ?? [];
  if (day === undefined || time === undefined || zone === undefined) return undefined;
  // Date.parse turns 30 February into 2 March, and takes a minute of 24:00.
  const local = new Date(`${day}T${time}Z`);
  if (Number.isNaN(local.getTime()) || local.toISOString().slice(0, 19) !== `${day}T${time}`) return undefined;
  const date = new Date(`${day}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
