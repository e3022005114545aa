import {
  canonicalJson,
  type Dated,
  type Derived,
  FORBIDDEN_KEYS,
  MESSAGE_CLASSES,
  type RelationName,
} from '@linli/rules'
import type { ProfileChanges } from './decision.js'
import type { Draft } from './draft.js'
import type { SubjectState } from './subject.js'

/** Takes over what an event says about the subject; gives what reads what changed. */
export function changeProfile(draft: Draft, { traits, relations }: ProfileChanges, at: number): Derived[] {
  const suspects: Derived[] = []
  for (const [name, value] of Object.entries(traits ?? {})) {
    if (FORBIDDEN_KEYS.has(name) || !supersedes(draft.traits[name], value, at)) continue
    draft.traits = { ...draft.traits, [name]: [value, at] }
    draft.noteFigures('traits', name)
    suspects.push(...(draft.rules.readers.traits.get(name) ?? []))
  }
  const before = draft.relations
  if (relations !== undefined) draft.relations = relatedBy(before, relations, at)
  leave(draft, 'community', relations?.community)
  for (const relation of RELATION_NAMES) {
    if (draft.relations[relation]?.[0] === before[relation]?.[0]) continue
    leave(draft, relation, before[relation]?.[0])
    suspects.push(...(draft.rules.readers.relations.get(relation) ?? []))
  }
  return suspects
}

/** Remembers whom the subject was related to: they may have to learn who it turned out to be. */
function leave(draft: Draft, relation: RelationName, id: string | undefined): void {
  if (id === undefined || draft.key.kind !== 'user' || draft.relations[relation]?.[0] === id) return
  const name = `${relation}:${id}`
  if (!draft.left.includes(name)) draft.left = [...draft.left, name]
}

const RELATION_NAMES: readonly RelationName[] = ['community', 'leader']

/** Relations after what was said of them. A user's leader comes with the community: another community has a leader of its own. */
export function relatedBy(
  before: SubjectState['relations'],
  { community, leader }: NonNullable<ProfileChanges['relations']>,
  at: number,
): SubjectState['relations'] {
  let relations = before
  if (community !== undefined) {
    if (supersedes(before.community, community, at)) relations = { ...before, community: [community, at] }
    if (relations.community?.[0] !== community) return before
    if (before.community?.[0] !== community) relations = { community: [community, at] }
  }
  return leader !== undefined && supersedes(relations.leader, leader, at)
    ? { ...relations, leader: [leader, at] }
    : relations
}

/** Later words replace earlier ones; of two of the same instant, the one with the greater JSON text stands. */
export function supersedes(known: Dated<unknown> | undefined, value: unknown, at: number): boolean {
  if (known === undefined || known[1] < at) return true
  return known[1] === at && canonicalJson(known[0]) < canonicalJson(value)
}

/** Of what two have said, name by name, what was said last. */
export function latestOf<T>(into: Readonly<Record<string, Dated<T>>>, from: Readonly<Record<string, Dated<T>>>) {
  const merged: Record<string, Dated<T>> = { ...into }
  for (const [name, dated] of Object.entries(from)) {
    if (supersedes(merged[name], dated[0], dated[1])) merged[name] = dated
  }
  return merged
}

export const CONSENT_EVENTS = { granted: 'consent_granted', withdrawn: 'consent_withdrawn' } as const

/** Takes over a consent event; gives what reads consent if it changed. `channel` and `class` of its properties say what it is about; left out: everything. */
export function changeConsent(
  draft: Draft,
  granted: boolean,
  properties: Readonly<Record<string, unknown>>,
  at: number,
): readonly Derived[] {
  const channel = aboutWhich(properties['channel'], () => true)
  const messageClass = aboutWhich(properties['class'], (text) => (MESSAGE_CLASSES as readonly string[]).includes(text))
  // What cannot be understood is taken for the stricter: such a grant grants nothing, such a withdrawal is of everything.
  if (granted && (channel === undefined || messageClass === undefined)) return []
  const key = `${channel ?? '*'}|${messageClass ?? '*'}`
  const known = draft.consent[key]
  // Of a grant and a withdrawal at the same instant, the withdrawal stands.
  if (known !== undefined && (known[1] > at || (known[1] === at && granted))) return []
  draft.consent = { ...draft.consent, [key]: [granted, at] }
  return draft.rules.readers.consent.get(true) ?? []
}

/** `*` where nothing is said; undefined where it is not understood. */
function aboutWhich(said: unknown, isKnown: (text: string) => boolean): string | undefined {
  if (said === undefined || said === null) return '*'
  return typeof said === 'string' && isKnown(said) ? said : undefined
}
