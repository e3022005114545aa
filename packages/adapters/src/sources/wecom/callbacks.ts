import type { IncomingEvent } from '@linli/core'
import { asObject } from '../../http/json.js'
import { fieldOf, readXmlTree, type XmlFields } from '../../wechat/xml.js'
import { idFor } from '../http/ids.js'

/** Who changed what, as a callback of WeCom says it. */
export interface WecomCallback {
  /** `change_external_contact`, `change_external_chat`, `change_external_tag` … */
  readonly event: string
  /** `add_external_contact`, `update` … */
  readonly change: string | undefined
  readonly at: Date
  readonly fields: XmlFields
  /** `MemChangeList`: ids of the members of a group that joined or left, where WeCom says them. */
  readonly members: readonly string[]
}

export function callbackOf(fields: XmlFields, xml: string): WecomCallback | undefined {
  const event = fieldOf(fields, 'Event')
  const seconds = Number(fieldOf(fields, 'CreateTime'))
  if (event === undefined || !Number.isSafeInteger(seconds) || seconds <= 0) return undefined
  const members = Object.hasOwn(fields, 'MemChangeList') ? membersIn(readXmlTree(xml)?.['MemChangeList']) : []
  return { event, change: fieldOf(fields, 'ChangeType'), at: new Date(seconds * 1000), fields, members }
}

/** Elements `Item`, or, as it was once, a text with commas. */
function membersIn(list: unknown): readonly string[] {
  const items = asObject(list)?.['Item'] ?? String(list ?? '').split(',')
  return (Array.isArray(items) ? items : [items]).map((one) => String(one).trim()).filter((one) => one !== '')
}

/** Events of a customer by their external_userid; what they are of else is not linli's to know. */
export function eventsOf(callback: WecomCallback, xml: string): readonly IncomingEvent[] {
  const { event, change, at, fields } = callback
  if (event !== 'change_external_contact') return []
  const customer = fieldOf(fields, 'ExternalUserID')
  if (customer === undefined) return []
  const base = {
    // WeCom sends a callback again when it got no answer, and gives it no id.
    messageId: idFor('wecom', xml),
    timestamp: at,
    context: { externalIds: [{ type: 'externalUserId', id: customer }] },
  }
  const memberUserId = fieldOf(fields, 'UserID')
  const state = fieldOf(fields, 'State')
  switch (change) {
    case 'add_external_contact':
    case 'add_half_external_contact': {
      const properties = { memberUserId, ...(state !== undefined && { state }) }
      const traits = { externalUserId: customer, ...(memberUserId !== undefined && { wecomSender: memberUserId }) }
      return [
        { ...base, type: 'identify', messageId: `${base.messageId}:who`, traits },
        { ...base, event: 'contact_added', properties },
      ]
    }
    case 'del_external_contact':
      return [{ ...base, event: 'contact_lost', properties: { memberUserId, by: 'member' } }]
    case 'del_follow_user':
      return [{ ...base, event: 'contact_lost', properties: { memberUserId, by: 'customer' } }]
    case 'edit_external_contact':
      return [{ ...base, event: 'contact_edited', properties: { memberUserId } }]
    default:
      return []
  }
}
