import fc from 'fast-check'
import { eventArb } from '../../../rules/testing/history.js'

/** Something that happened, and when word of it arrives. */
export interface Arrival {
  readonly type: 'track' | 'identify' | 'group'
  readonly messageId: string
  readonly event: string
  readonly userId: string
  /** When it happened. */
  readonly at: number
  /** How much later it arrives, in milliseconds. */
  readonly delay: number
  readonly properties: Readonly<Record<string, unknown>>
  readonly traits?: Readonly<Record<string, unknown>>
  readonly groupId?: string
  /** Of `identify`: the visitor that the user turns out to have been. */
  readonly anonymousId?: string
  /** Comes in with the one before it, in one batch. */
  readonly joins: boolean
}

const DAY = 86_400_000

const happened = eventArb.map(({ event, at, properties }) => ({
  type: 'track' as const,
  event: event ?? '',
  at: at ?? 0,
  properties: (properties ?? {}) as Record<string, unknown>,
}))

const consented = fc
  .tuple(
    happened,
    fc.constantFrom('consent_granted', 'consent_withdrawn'),
    fc.record(
      { channel: fc.constantFrom('sms', 'push'), class: fc.constantFrom('promotion', 'content') },
      { requiredKeys: [] },
    ),
  )
  .map(([{ at }, event, properties]) => ({ type: 'track' as const, event, at, properties }))

const accepted = fc
  .tuple(happened, fc.constantFrom('sms', 'push'), fc.constantFrom('promotion', 'content'))
  .map(([{ at }, channel, messageClass]) => ({
    type: 'track' as const,
    event: 'message_accepted',
    at,
    properties: { channel, class: messageClass, journey: 'j', step: 's', template: 't' },
  }))

const identified = fc
  .tuple(
    happened,
    fc.record(
      {
        city: fc.constantFrom('sh', 'bj', null),
        age: fc.constantFrom(20, 30, 35, 41, '41'),
        home: fc.constantFrom({ city: 'sh', pets: ['cat'] }, { city: ['sh'], pets: 'cat' }, 'sh'),
        timeZone: fc.constantFrom('UTC', 'America/New_York', 'Pacific/Apia', 'Nowhere/Land'),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([{ at }, traits]) => ({ type: 'identify' as const, event: 'identify', at, properties: {}, traits }))

const joined = fc
  .tuple(
    happened,
    fc.constantFrom('g1', 'g2'),
    fc.record(
      {
        city: fc.constantFrom('sh', 'bj'),
        age: fc.constantFrom(20, 41),
        leaderId: fc.constantFrom('l1', 'l2'),
        timeZone: fc.constantFrom('UTC', 'Pacific/Apia'),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([{ at }, groupId, traits]) => ({ type: 'group' as const, event: 'group', at, properties: {}, traits, groupId }))

/** Most events come at once; some late, some days late, some from a clock that is ahead. */
const delay = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 5000 }) },
  { weight: 1, arbitrary: fc.constantFrom(60_000, DAY, 2 * DAY) },
  { weight: 1, arbitrary: fc.integer({ min: -4000, max: -1 }) },
)

function arrivals(what: fc.Arbitrary<Omit<Arrival, 'messageId' | 'userId' | 'delay' | 'joins'>>, maxLength: number) {
  return fc
    .array(
      fc.tuple(what, delay, fc.boolean(), fc.constantFrom('u1', 'u2', 'u3'), fc.constantFrom(0, 0, 0, 0, 0, 1, 31)),
      { minLength: 1, maxLength },
    )
    .map((list) =>
      list.map(([one, late, joins, userId, days], index): Arrival => {
        return { ...one, at: one.at + days * DAY, messageId: `m${index}`, userId, delay: late, joins }
      }),
    )
}

/** Events of one user. The leader comes from the community, so none is said here. */
export const userStreamArb = arrivals(
  fc.oneof(
    { weight: 8, arbitrary: happened },
    { weight: 1, arbitrary: consented },
    { weight: 1, arbitrary: accepted },
    { weight: 2, arbitrary: identified },
    { weight: 1, arbitrary: joined.map((one) => ({ ...one, traits: {} })) },
  ),
  14,
).map((stream) => stream.map((arrival) => ({ ...arrival, userId: 'u1' })))

/** Events of three users in two communities. */
export const townStreamArb = arrivals(
  fc.oneof(
    { weight: 8, arbitrary: happened },
    { weight: 1, arbitrary: consented },
    { weight: 1, arbitrary: accepted },
    { weight: 2, arbitrary: identified },
    { weight: 4, arbitrary: joined },
  ),
  20,
)

const VISITORS = ['a1', 'a2', 'a3']

/** Events of users and of visitors, some of whom turn out to be one of the users. Of consent the stricter word would stand. */
export const visitorStreamArb = fc
  .tuple(
    arrivals(
      fc.oneof(
        { weight: 8, arbitrary: happened },
        { weight: 1, arbitrary: accepted },
        { weight: 4, arbitrary: identified },
        { weight: 1, arbitrary: joined.map((one) => ({ ...one, traits: {} })) },
      ),
      20,
    ),
    fc.array(fc.constantFrom(undefined, ...VISITORS), { minLength: 20, maxLength: 20 }),
  )
  .map(([stream, visitors]) =>
    stream.map((arrival, index): Arrival => {
      const anonymousId = visitors[index]
      if (anonymousId === undefined) return arrival
      if (arrival.type === 'identify') return { ...arrival, anonymousId }
      return { ...arrival, userId: visitorName(anonymousId) }
    }),
  )

/** What a visitor is called until somebody says who it is. */
export function visitorName(anonymousId: string): string {
  return `anon:${anonymousId}`
}

/** Events that come in together, and when. */
export interface Batch {
  readonly now: number
  readonly events: readonly Arrival[]
}

/**
 * The stream in the order of arrival. What joins comes in with the one before, when the later of the two arrives. Who
 * joins a community does so alone: whose events come with it belong to the community that they have afterwards.
 */
export function batchesOf(stream: readonly Arrival[]): readonly Batch[] {
  const batches: { now: number; events: Arrival[] }[] = []
  for (const arrival of [...stream].sort((a, b) => a.at + a.delay - (b.at + b.delay))) {
    const now = arrival.at + arrival.delay
    const open = batches.at(-1)
    const isAlone = !arrival.joins || arrival.type === 'group' || open?.events[0]?.type === 'group'
    if (open === undefined || isAlone || now - open.now > 1000) batches.push({ now, events: [arrival] })
    else Object.assign(open, { now, events: [...open.events, arrival] })
  }
  return batches
}

/** Batches and instants at which nothing comes in, in order of time; at the same instant, time passes first. */
export function inTime(batches: readonly Batch[], probes: readonly number[]): readonly Batch[] {
  const looks = probes.map((now): Batch => ({ now, events: [] }))
  return [...looks, ...batches].sort((a, b) => a.now - b.now)
}
