import type { RelationName } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import type { Coupon, Run, SubjectKey } from '../domain/subject.js'
import { type Merge, mergeOf, type Subject, subjectFor } from '../door.js'
import { EngineError } from '../errors.js'
import type { Delivery, EventPlace, IssuedCoupon, LockedSubject, Store, StoredEvent } from '../ports/store.js'
import { People, whoIs } from '../subjects/people.js'
import { keysOf } from '../subjects/persons.js'
import type { Programs } from '../subjects/programs.js'

/** All that is kept of a user. Instants are texts in ISO 8601, in UTC. A later format has another number. */
export interface PersonExport extends Pick<Subject, 'id' | 'also' | 'scores'> {
  readonly format: 'linli.person/1'
  readonly exportedAt: string
  /** What else they are known by: `anon:…`, `id:openid:…`. */
  readonly names: readonly string[]
  readonly traits: Readonly<Record<string, { readonly value: unknown; readonly at: string }>>
  readonly relations: Readonly<Partial<Record<RelationName, { readonly id: string; readonly at: string }>>>
  /** Communities and leaders that they had before: `community:c-1`. */
  readonly left: readonly string[]
  /** Tags they have now, and since when. */
  readonly tags: readonly { readonly id: string; readonly since: string }[]
  readonly consent: readonly {
    /** `*`: all. */
    readonly channel: string
    readonly class: string
    readonly granted: boolean
    readonly at: string
  }[]
  /** Journeys they are in, with what those have kept. */
  readonly runs: readonly Readonly<Record<string, unknown>>[]
  /** Goals that they may still reach. */
  readonly goals: readonly Readonly<Record<string, unknown>>[]
  /** Messages that count for caps. */
  readonly sends: readonly { readonly at: string; readonly channel: string; readonly class: string }[]
  /** What was known under several ids, and made one. */
  readonly merges: readonly Omit<Merge, 'at'>[]
  readonly coupons: readonly (Coupon & { readonly issuedAt: string })[]
  /** Messages, suggestions and coupons, planned or sent: what was to be said, with what, and what became of it. */
  readonly deliveries: readonly Readonly<Record<string, unknown>>[]
  readonly decisions: readonly Readonly<Record<string, unknown>>[]
  /** In the order they happened, id by id. */
  readonly events: readonly Readonly<Record<string, unknown>>[]
}

/** How many events are read at a time. */
const PAGE = 1000

/** What is kept of somebody as JSON, piece by piece: all but the events, then those, a page at a time. */
export async function* exportPerson(
  store: Store,
  programs: Programs,
  userId: string,
  now: number,
): AsyncGenerator<string, void> {
  const { head, keys } = await headOf(store, programs, userId, now)
  yield `${JSON.stringify(head).slice(0, -1)},"events":[`
  let separator = ''
  for (const key of keys) {
    for await (const page of eventsOf(store, key)) {
      yield separator + page.map((event) => JSON.stringify(eventFor(event))).join(',')
      separator = ','
    }
  }
  yield ']}\n'
}

async function* eventsOf(store: Store, key: SubjectKey): AsyncGenerator<readonly StoredEvent[]> {
  for (let after: EventPlace | undefined; ; ) {
    const page = await store.transaction((tx) => tx.eventsFor(key, after, PAGE))
    if (page.length > 0) yield page
    if (page.length < PAGE) return
    after = page.at(-1)
  }
}

async function headOf(store: Store, programs: Programs, userId: string, now: number) {
  const { person, names, coupons, program } = await store.transaction(async (tx) => {
    const owner = (await tx.resolveIdentities([userId])).get(userId) ?? userId
    const edition = await programs.in(tx)
    const people = await People.lock(tx, programs, edition, [{ kind: 'user', id: owner }])
    const found = people.get({ kind: 'user', id: owner })
    if (found === undefined || found.state.at === 0) throw unknownPerson()
    const keys = keysOf(found)
    const all = { names: await tx.namesOf(found.key.id), coupons: await tx.couponsOf(keys) }
    return { person: found, program: edition.program, ...all }
  })
  const { key, keys } = await whoIs(store, person.key)
  const ids = keys.map(({ id }) => id)
  const merges = (await store.readMerges({ userIds: ids })).filter(({ undoneAt }) => undoneAt === undefined)
  const decisions = await store.readDecisions({ subjects: keys.map(({ kind, id }) => `${kind}:${id}`) })
  const deliveries = await store.readDeliveries({ subjects: keys })
  const { tags, scores, also } = subjectFor('user', key.id, person.state, program)
  const head: Omit<PersonExport, 'events'> = {
    format: 'linli.person/1',
    exportedAt: iso(now),
    id: key.id,
    also,
    names,
    ...profileOf(person),
    tags: tags.map((id) => ({ id, since: iso(person.state.tags.get(id)?.[0] ?? 0) })),
    scores,
    merges: merges.map(mergeOf).map(({ at, ...merge }) => ({ ...merge, at: at.toISOString() })),
    coupons: coupons.map(({ coupon, issuedAt }: IssuedCoupon) => ({ ...coupon, issuedAt: iso(issuedAt) })),
    deliveries: deliveries.map(deliveryFor),
    decisions: decisions.filter(({ decision }) => !decision.startsWith('identity.')).map(decisionFor),
  }
  return { head, keys }
}

function profileOf({ state }: LockedSubject) {
  const { traits, relations, left, consent, runs, goals, sends } = state
  const said = Object.entries(relations).map(([name, [id, at]]) => [name, { id, at: iso(at) }] as const)
  return {
    traits: Object.fromEntries(Object.entries(traits).map(([name, [value, at]]) => [name, { value, at: iso(at) }])),
    relations: Object.fromEntries(said),
    left,
    consent: Object.entries(consent).flatMap(([about, dated]) => {
      const [channel = '', messageClass = ''] = about.split('|')
      return dated === undefined ? [] : [{ channel, class: messageClass, granted: dated[0], at: iso(dated[1]) }]
    }),
    runs: runs.map(runFor),
    goals: goals.map(({ from, until, hash: _, ...goal }) => ({ ...goal, from: iso(from), until: iso(until) })),
    sends: sends.map(([at, channel, messageClass]) => ({ at: iso(at), channel, class: messageClass })),
  }
}

function runFor({ id, journey, key, enteredAt, step, since, until, entry, event, digest, coupon }: Run) {
  const times = { enteredAt: iso(enteredAt), since: since && iso(since), until: until === 0 ? undefined : iso(until) }
  return { id, journey, key, step, ...times, entry, event, digest, coupon }
}

function deliveryFor({ kind, state, source, plannedAt, body, providerId, reason }: Delivery) {
  const { what, channel, class: messageClass, to, variables, values, text } = body
  const about = { journey: source.journey, step: source.step, what, channel, class: messageClass }
  return { kind, state, ...about, plannedAt: iso(plannedAt), to, variables, values, text, providerId, reason }
}

function decisionFor({ at, ...decision }: Decision) {
  return { at: iso(at), ...decision }
}

function eventFor({ at, saidAt, receivedAt, ...event }: StoredEvent) {
  const times = { at: iso(at), saidAt: saidAt ? iso(saidAt) : undefined, receivedAt: iso(receivedAt) }
  return { ...event, ...times }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

function unknownPerson(): EngineError {
  return new EngineError('subject.unknown', 'Nothing is known of this user.')
}
