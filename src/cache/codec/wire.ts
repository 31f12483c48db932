/** The numbers of RFC 8949 that the encoder and the decoder share. */

/** Major types, in the top three bits of an item's first byte. */
export const Major = {
  unsigned: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;

/** What the lower five bits say when they are not the argument itself. */
export const Info = {
  oneByte: 24,
  twoBytes: 25,
  fourBytes: 26,
  eightBytes: 27,
  indefinite: 31,
} as const;

/** First bytes of major type 7. */
export const Simple = {
  false: 0xf4,
  true: 0xf5,
  null: 0xf6,
  undefined: 0xf7,
  float16: 0xf9,
  float32: 0xfa,
  float64: 0xfb,
  break: 0xff,
} as const;

/** The tags that are written or understood; any other is refused. */
export const Tag = {
  dateText: 0,
  /** Seconds since the Unix epoch: `Date`. */
  epochDate: 1,
  /** `bigint` of 0 and above. */
  bignum: 2,
  /** `bigint` below 0: the content is -1 - n. */
  negativeBignum: 3,
  /** A set, registered with IANA: `Set`. */
  set: 258,
  /** A map with keys of any type, registered with IANA: `Map`, where an untagged map is an object. */
  map: 259,
  /** "What follows is CBOR". Accepted in front of the whole item, never written. */
  selfDescribed: 55_799,
} as const;
