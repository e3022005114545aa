import { createHash } from 'node:crypto'

/** A message id made of what somebody says, so that its repetition is none of two. */
export function idFor(source: string, says: string): string {
  return `${source}:${createHash('sha256').update(says).digest('base64url').slice(0, 32)}`
}
