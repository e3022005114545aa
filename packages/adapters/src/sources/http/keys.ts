import { timingSafeEqual } from 'node:crypto'

/** Whether a text is the key. Takes as long for a near miss as for any of that length. */
export function isKey(found: string, key: Uint8Array): boolean {
  const given = Buffer.from(found)
  return given.length === key.length && timingSafeEqual(given, key)
}
