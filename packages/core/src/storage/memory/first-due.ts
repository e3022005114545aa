import type { FirstDue } from '../../ports/store.js'
import { compareText } from '../text-order.js'
import type { MemoryTables } from './tables.js'

/** The first of each line of what is due. */
export function firstDue(tables: MemoryTables): readonly FirstDue[] {
  const found: FirstDue[] = []
  const add = (kind: FirstDue['kind'], name: string, dueAt: number | undefined, line: string = kind, heldUntil = 0) => {
    if (dueAt !== undefined) found.push({ kind, line, name, dueAt, heldUntil })
  }
  add('inbox', String(tables.inboxTaken), tables.nextDue('inbox'))
  for (const { name, dueAt } of tables.subjects.values()) add('subject', name, dueAt)
  for (const [kind, { dueAt }] of tables.baselines) add('baseline', `${kind}@${dueAt}`, dueAt)
  for (const { value } of tables.deliveries.values()) {
    const { key, claim, dueAt, body } = value
    const { channel } = body
    const heldUntil = tables.calls.get(channel ?? '')?.freeAt
    add('delivery', `${key}-${claim}`, dueAt, channel === undefined ? 'delivery' : `delivery:${channel}`, heldUntil)
  }
  found.sort((a, b) => a.dueAt - b.dueAt || compareText(a.name, b.name))
  const lines = new Set<string>()
  return found.filter(({ line }) => !lines.has(line) && lines.add(line))
}
