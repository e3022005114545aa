import { createHash } from 'node:crypto'

/** SHA-256 in hexadecimal digits, as signatures of both clouds are made of it. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
