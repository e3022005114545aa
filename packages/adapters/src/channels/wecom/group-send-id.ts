import { createHash } from 'node:crypto'

/**
 * What a message of a group send is called in decisions and receipts: its task, and a hash of the recipient. WeCom has no id of its
 * own for it, and an external_userid is an address.
 */
export function groupSendId(msgid: string, recipient: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([msgid, recipient]))
    .digest('base64url')
  return `${msgid}:${hash.slice(0, 22)}`
}
