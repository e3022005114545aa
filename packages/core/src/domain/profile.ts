import { type CompiledTag, canonicalJson, type Dated, FORBIDDEN_KEYS, type RelationName } from '@linli/rules'
import type { ProfileChanges } from './decision.js'
import type { Draft } from './draft.js'

/** Takes over what an event says about the subject; gives the tags that read what changed. */
export function changeProfile(draft: Draft, { traits, relations }: ProfileChanges, at: number): CompiledTag[] {
  const suspects: CompiledTag[] = []
  for (const [name, value] of Object.entries(traits ?? {})) {
    if (FORBIDDEN_KEYS.has(name) || !supersedes(draft.traits[name], value, at)) continue
    draft.traits = { ...draft.traits, [name]: [value, at] }
    suspects.push(...(draft.rules.tagsByTrait.get(name) ?? []))
  }
  for (const [relation, id] of Object.entries(relations ?? {}) as [RelationName, string][]) {
    if (!supersedes(draft.relations[relation], id, at)) continue
    draft.relations = { ...draft.relations, [relation]: [id, at] }
    suspects.push(...(draft.rules.tagsByRelation.get(relation) ?? []))
  }
  return suspects
}

/** Later words replace earlier ones; of two of the same instant, the one with the greater JSON text stands. */
export function supersedes(known: Dated<unknown> | undefined, value: unknown, at: number): boolean {
  if (known === undefined || known[1] < at) return true
  return known[1] === at && canonicalJson(known[0]) < canonicalJson(value)
}

export const CONSENT_EVENTS = { granted: 'consent_granted', withdrawn: 'consent_withdrawn' } as const

/** Takes over a consent event. `channel` and `class` of its properties say what it is about; left out: everything. */
export function changeConsent(
  draft: Draft,
  granted: boolean,
  properties: Readonly<Record<string, unknown>>,
  at: number,
) {
  const { channel, class: messageClass } = properties
  const key = `${typeof channel === 'string' ? channel : '*'}|${typeof messageClass === 'string' ? messageClass : '*'}`
  const known = draft.consent[key]
  // Of a grant and a withdrawal at the same instant, the withdrawal stands.
  if (known !== undefined && (known[1] > at || (known[1] === at && granted))) return
  draft.consent = { ...draft.consent, [key]: [granted, at] }
}
