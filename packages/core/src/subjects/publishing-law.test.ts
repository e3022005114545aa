import { definePack } from '@linli/rules'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { atLeast, count, score, scored, tag, tagged, traitIs } from '../../testing/rules.js'
import { NOON } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import type { IncomingEvent } from '../ingest/event.js'
import { type VirtualClock, virtualClock } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'

const HOUR_MS = 3_600_000
const START = Date.parse(NOON)
const RUNS = Number(process.env['LINLI_RUNS'] ?? 60)

/** Rules that packs are made of. Each can stand alone. */
const RULES: readonly (readonly unknown[])[] = [
  [
    tag('two', atLeast(2, 'order', { within: '1d' })),
    tag('idle', { any: [count('order', 'equal', 0, { within: '6h' })] }),
  ],
  [tag('three', atLeast(3, 'order'))],
  [tag('of-two', tagged('pair')), tag('pair', atLeast(2, 'view', { within: '12h' }))],
  [tag('lively', atLeast(4, 'order', { within: '1d', of: 'community' }))],
  [tag('busy', atLeast(3, 'order'), { subject: 'community' })],
  [tag('spent', { fact: 'eventSum', operator: 'greaterThan', value: 20, params: { event: 'order', property: 'sum' } })],
  [score('heat', [{ points: 4, event: 'order', halfLife: '1d' }], { tiers: [{ id: 'hot', from: 8 }] })],
  [score('warmth', [{ points: 2, event: 'view' }]), tag('warm', scored('warmth', 'greaterThan', 3))],
  [tag('led', atLeast(3, 'order'), { subject: 'leader' }), tag('citizen', traitIs('city', '上海'))],
]

type Step =
  | { readonly kind: 'event'; readonly event: IncomingEvent }
  | { readonly kind: 'pass'; readonly hours: number }
  | { readonly kind: 'publish'; readonly rules: readonly number[] }
  | { readonly kind: 'settle' }

const personArb = fc.constantFrom('u1', 'u2', 'u3')
const rulesArb = fc.uniqueArray(fc.nat(RULES.length - 1), { maxLength: RULES.length })
const bodyArb: fc.Arbitrary<Omit<IncomingEvent, 'messageId'>> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      event: fc.constantFrom('order', 'view'),
      userId: personArb,
      properties: fc.record({ sum: fc.nat(15) }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ event: fc.constant('order'), anonymousId: fc.constantFrom('a1', 'a2') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('identify' as const),
      userId: personArb,
      anonymousId: fc.constantFrom('a1', 'a2'),
      traits: fc.record({ city: fc.constantFrom('上海', '北京') }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('group' as const),
      userId: personArb,
      groupId: fc.constantFrom('c1', 'c2'),
      traits: fc.constantFrom({}, { leaderId: 'l1' }, { leaderId: 'l2' }),
    }),
  },
)
const stepArb: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('event' as const),
      event: fc.tuple(bodyArb, fc.nat(3)).map(([body, late]) => ({ ...body, messageId: '', late }) as never),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), hours: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('publish' as const), rules: rulesArb }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
)

const packOf = (rules: readonly number[]) => definePack(rules.flatMap((index) => RULES[index] ?? []))

/** Plays the steps; `publish` is left out where an engine has its rules from the start. */
async function play(engine: Engine, clock: VirtualClock, steps: readonly Step[], publishes: boolean): Promise<void> {
  for (const [index, step] of steps.entries()) {
    if (step.kind === 'event') {
      const { late, ...event } = step.event as IncomingEvent & { late: number }
      await engine.ingest([{ ...event, messageId: `m-${index}`, timestamp: clock.now() - late * HOUR_MS }])
    } else if (step.kind === 'publish') {
      if (publishes) await engine.publish(packOf(step.rules))
    } else {
      await engine.settle()
      if (step.kind === 'pass') clock.moveTo(clock.now() + step.hours * HOUR_MS)
    }
  }
  await engine.settle()
}

async function known(engine: Engine) {
  const names = [
    ...['u1', 'u2', 'u3', 'anon:a1', 'anon:a2'].map((id) => ['user', id] as const),
    ...['c1', 'c2'].map((id) => ['community', id] as const),
    ...['l1', 'l2'].map((id) => ['leader', id] as const),
  ]
  const found = await Promise.all(
    names.map(async ([kind, id]) => [`${kind}:${id}`, await engine.subject(kind, id)] as const),
  )
  return found.map(([name, subject]) => {
    const { tags = [], scores = {} } = subject ?? {}
    return { name, tags: tags.toSorted(), scores }
  })
}

it('after any publications, what is known is what an engine knows that had the last rules from the start', async () => {
  await fc.assert(
    fc.asyncProperty(rulesArb, fc.array(stepArb, { maxLength: 40 }), rulesArb, async (first, steps, last) => {
      const changing = virtualClock(START)
      const store = memoryStore()
      const engine = await createEngine({ rules: packOf(first), database: store, clock: changing })
      await play(engine, changing, [...steps, { kind: 'publish', rules: last }], true)

      const steady = virtualClock(START)
      const reference = await createEngine({ rules: packOf(last), database: memoryStore(), clock: steady })
      await play(reference, steady, steps, false)

      expect(await known(engine)).toEqual(await known(reference))
    }),
    { numRuns: RUNS },
  )
}, 60_000)
