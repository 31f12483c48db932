import { fingerprint } from "../primitives/idempotency/fingerprint.ts";

/**
 * What two requests with one key must have in common: the query, the media type
 * and the body. JSON is compared as data, so that neither white space nor the
 * order of keys matters; other bytes as they are.
 *
 * @param body bytes, or what a framework's parser has made of them
 * @throws CodecError if a parsed body is more than data
 */
export function payloadOf({ url, headers }: Request, body: unknown): Uint8Array {
  const type = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const about = [new URL(url).search, type];
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  if (!(bytes instanceof Uint8Array)) return fingerprint([...about, body], "http");
  if (/^application\/(.+\+)?json$/.test(type)) {
    try {
      return fingerprint([...about, JSON.parse(Buffer.from(bytes).toString())], "http");
    } catch {
      // No JSON after all, or something in it that is no data, such as half a surrogate pair.
    }
  }
  return fingerprint([...about, bytes], "http");
}
