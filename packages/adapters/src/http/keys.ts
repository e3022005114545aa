import { timingSafeEqual } from 'node:crypto'

/** Whether a text is the key, or the signature, that it should be. Takes as long for a near miss as for any of that length. */
export function isKey(found: string, key: string | Uint8Array): boolean {
  const [given, right] = [Buffer.from(found), Buffer.from(key)]
  return given.length === right.length && timingSafeEqual(given, right)
}
