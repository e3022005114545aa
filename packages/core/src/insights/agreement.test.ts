import { definePack, SUBJECT_KINDS, type SubjectKind } from '@linli/rules'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instantsArb, STREET, STREET_RULES, STREET_START, streetArb } from '../../testing/street.js'
import type { Engine } from '../door.js'
import type { IncomingEvent } from '../ingest/event.js'
import type { World } from '../simulation/world.js'
import { createWorld } from '../testing/create-world.js'

const PACK = definePack(STREET_RULES)
const RULES = STREET_RULES as readonly { readonly id: string; readonly subject?: string }[]

/** What the engine says of everybody and each rule now: whether it holds, or a score's value. */
async function said(engine: Engine): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>()
  for (const kind of SUBJECT_KINDS) {
    for (const id of STREET[kind]) {
      const subject = await engine.subject(kind, id)
      if (subject === undefined) continue
      for (const { id: rule } of RULES.filter(({ subject: about = 'user' }) => about === kind)) {
        const isIn = subject.runs.some(({ journey }) => journey === rule)
        found.set(`${kind} ${id} ${rule}`, subject.scores[rule]?.value ?? (subject.tags.includes(rule) || isIn))
      }
    }
  }
  return found
}

function explain(engine: Engine, name: string, at?: number) {
  const [kind, id, rule] = name.split(' ') as [SubjectKind, string, string]
  return engine.explain({ subject: [kind, id], rule, ...(at !== undefined && { at }) })
}

async function explained(engine: Engine, names: Iterable<string>, at: number): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>()
  for (const name of names) {
    const { holds, score } = await explain(engine, name, at)
    found.set(name, score?.value ?? holds)
  }
  return found
}

/** Plays events and stops at instants, each after the events of the same time. */
async function play(
  events: readonly IncomingEvent[],
  instants: readonly number[],
  stop: (world: World) => Promise<void>,
) {
  const world = await createWorld({ rules: PACK, now: STREET_START })
  let from = Number.NEGATIVE_INFINITY
  for (const at of instants.toSorted((a, b) => a - b)) {
    await world.play(events.filter(({ timestamp }) => from < Number(timestamp) && Number(timestamp) <= at))
    await world.advanceTo(at)
    await stop(world)
    from = at
  }
  return world
}

const THE_END = STREET_START + 720 * 60_000

it('an explanation says what the engine said then, of everybody and every rule, also when it is long past', async () => {
  await fc.assert(
    fc.asyncProperty(streetArb, instantsArb, async (events, instants) => {
      const before = new Map<number, ReadonlyMap<string, unknown>>()
      const world = await play(events, [...instants, THE_END], async ({ engine, clock }) => {
        before.set(clock.now(), await said(engine))
      })
      for (const [at, known] of before) {
        expect(await explained(world.engine, known.keys(), at), new Date(at).toISOString()).toEqual(known)
      }
      await world.close()
    }),
    { numRuns: 40 },
  )
})

it('what is explained lasts until the instant it names, and turns then if nothing new happens', async () => {
  await fc.assert(
    fc.asyncProperty(streetArb, instantsArb, async (events, [at = 0]) => {
      const world = await play(events, [at], async () => {})
      const known = await said(world.engine)
      const ends = new Map<string, number>()
      for (const name of known.keys()) {
        const { until, kind, rule } = await explain(world.engine, name)
        if (kind !== 'journey' && !READS_RUNS.has(rule)) ends.set(name, until === null ? THE_END : Date.parse(until))
      }
      for (const end of [...new Set(ends.values())].sort((a, b) => a - b)) {
        await world.advanceTo(end - 1)
        const lasting = [...ends].filter(([, other]) => other >= end).map(([name]) => name)
        const still = await said(world.engine)
        expect(lasting.filter((name) => still.get(name) !== known.get(name))).toEqual([])
        await world.advanceTo(end)
        const then = await said(world.engine)
        const turning = [...ends].filter(([, other]) => other === end && end < THE_END).map(([name]) => name)
        expect(turning.filter((name) => then.get(name) === known.get(name))).toEqual([])
      }
      await world.close()
    }),
    { numRuns: 40 },
  )
})

/** What journeys do by themselves follows from messages and coupons as well: there, it is the end of the wait. */
const READS_RUNS = new Set(['greeted', 'greeted-local', 'being-greeted', 'greeted-later'])
