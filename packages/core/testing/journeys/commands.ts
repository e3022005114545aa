import type { HaltTarget } from '@linli/rules'
import fc from 'fast-check'
import { EVENTS } from './rules.js'

// What happens to two people, and to the rules.

/** What cases are about. */
export interface Focus {
  /** How journeys get on with one another, and how else than by what happens they may begin. */
  readonly several: boolean
  /** What people do to rules that run. */
  readonly deeds: boolean
}

/** Something that happens. Times are relative to the clock, in milliseconds. */
export type Command =
  | {
      readonly kind: 'event'
      readonly user: string
      readonly event: string
      readonly properties: Readonly<Record<string, unknown>>
      readonly late: number
    }
  | { readonly kind: 'identify'; readonly user: string; readonly traits: Readonly<Record<string, unknown>> }
  /** A program wants somebody to enter a journey. */
  | {
      readonly kind: 'request'
      readonly user: string
      readonly journey: string
      readonly properties: Readonly<Record<string, unknown>>
    }
  /** The event before comes again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'pass'; readonly ms: number }
  /** To the instant at which something is due, and so much more or less. */
  | { readonly kind: 'due'; readonly off: number }
  /** An event so long after a journey was last entered, and so much more or less. */
  | {
      readonly kind: 'edge'
      readonly event: string
      readonly properties: Readonly<Record<string, unknown>>
      readonly after: number
      readonly off: number
    }
  /** Takes in an event, and ends before it does anything that follows from it. */
  | { readonly kind: 'crash'; readonly event: string }
  | { readonly kind: 'channel'; readonly name: string; readonly takes: boolean }
  | Deed
  /** One after the other, before anything follows from the first. */
  | { readonly kind: 'rush'; readonly deeds: readonly Rushed[] }

/** What somebody does to rules that run. */
export type Deed = {
  /** An event that has just come in: nothing has followed from it. */
  readonly after: string | undefined
  /** The engine ends before it does anything that follows. */
  readonly crashes: boolean
} & (
  | Operate
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'publish'; readonly journeys: number }
)

/** What may be done before anybody has met what was done before. */
export type Rushed = Exclude<Deed, { readonly kind: 'cancel' }>

/** Somebody halts something, or lets it go on. */
export interface Operate {
  readonly kind: 'operate'
  readonly does: 'pause' | 'stop' | 'resume'
  readonly target: HaltTarget
}

const TARGETS: readonly HaltTarget[] = [
  'everything',
  { journey: 'j0' },
  { journey: 'j1' },
  { channel: 'sms' },
  { channel: 'push' },
]

const users = fc.constantFrom('u1', 'u1', 'u2')
const names = fc.constantFrom(...EVENTS, 'paid')

const justBefore = fc.constantFrom(undefined, 'paid', ...EVENTS)

const operateArb = fc.record({
  kind: fc.constant('operate' as const),
  does: fc.constantFrom('pause', 'pause', 'stop', 'resume', 'resume'),
  target: fc.constantFrom(...TARGETS),
})

const cancelArb = fc.nat(3).map((which) => ({ kind: 'cancel' as const, which }))

const publishArb = (...editions: readonly number[]) =>
  fc.constantFrom(...editions).map((journeys) => ({ kind: 'publish' as const, journeys }))

const deedArb: fc.Arbitrary<Deed> = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: operateArb },
      { weight: 1, arbitrary: cancelArb },
      { weight: 2, arbitrary: publishArb(0, 1, 1) },
    ),
    fc.record({ after: justBefore, crashes: fc.boolean() }),
  )
  .map(([deed, how]) => ({ ...deed, ...how }))

/** Mostly versions of the rules, with nothing in between. */
const rushArb: fc.Arbitrary<readonly Rushed[]> = fc.array(
  fc
    .tuple(
      fc.oneof({ weight: 1, arbitrary: operateArb }, { weight: 5, arbitrary: publishArb(0, 1, 2, 3, 4, 5) }),
      fc.record({
        after: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: justBefore }),
        crashes: fc.constantFrom(false, false, true),
      }),
    )
    .map(([deed, how]) => ({ ...deed, ...how })),
  { minLength: 2, maxLength: 5 },
)

export const commandArb = ({ several, deeds }: Focus): fc.Arbitrary<Command> =>
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('event' as const),
        user: users,
        event: names,
        properties: fc.record(
          { city: fc.constantFrom('sh', 'bj'), store: fc.constantFrom('x', 1) },
          { requiredKeys: ['city', 'store'] },
        ),
        late: fc.constantFrom(0, 0, 0, 0, 500, 1000, 60_000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('event' as const),
        user: users,
        event: fc.constantFrom('consent_granted', 'consent_granted', 'consent_withdrawn'),
        properties: fc.record({ channel: fc.constant('sms') }, { requiredKeys: [] }),
        late: fc.constant(0),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('identify' as const),
        user: users,
        traits: fc.record(
          { city: fc.constantFrom('sh', 'bj'), birthday: fc.constantFrom('2026-01-01', '1990-01-02', '2026-02-01') },
          { requiredKeys: [] },
        ),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'again' as const }) },
    {
      weight: 3,
      arbitrary: fc
        .constantFrom(1, 500, 999, 1000, 2000, 60_000, 86_400_000)
        .map((ms) => ({ kind: 'pass' as const, ms })),
    },
    { weight: 6, arbitrary: fc.constantFrom(0, 0, -1, 1).map((off) => ({ kind: 'due' as const, off })) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('edge' as const),
        event: names,
        properties: fc.record({ city: fc.constantFrom('sh', 'bj'), store: fc.constantFrom('x', 1) }),
        after: fc.constantFrom(1000, 2000, 3000),
        off: fc.constantFrom(0, 0, -1, 1),
      }),
    },
    {
      weight: several ? 2 : 0,
      arbitrary: fc
        .tuple(
          users,
          fc.constantFrom('j0', 'j1'),
          fc.record({ city: fc.constantFrom('sh', 'bj'), store: fc.constant('x') }),
        )
        .map(([user, journey, properties]) => ({ kind: 'request' as const, user, journey, properties })),
    },
    { weight: 1, arbitrary: names.map((event) => ({ kind: 'crash' as const, event })) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('channel' as const),
        name: fc.constantFrom('sms', 'push'),
        takes: fc.boolean(),
      }),
    },
    { weight: deeds ? 6 : 0, arbitrary: deedArb },
    { weight: deeds ? 3 : 0, arbitrary: rushArb.map((some) => ({ kind: 'rush' as const, deeds: some })) },
  )

/** `everything`, `journey:j0`, `channel:sms` */
export function haltName(target: HaltTarget): string {
  return typeof target === 'string' ? target : (Object.entries(target)[0] ?? []).join(':')
}
