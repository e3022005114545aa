import { compileProgram, definePack } from '@linli/rules'
import fc from 'fast-check'
import { startEngine } from '../../src/engine.js'
import type { IncomingEvent } from '../../src/ingest/event.js'
import type { Store } from '../../src/ports/store.js'
import { virtualClock } from '../../src/queue/clocks.js'
import { World } from '../../src/simulation/world.js'
import { memoryStore } from '../../src/storage/memory/store.js'
import { probesOf } from './instants.js'
import { Oracle } from './oracle.js'
import { fullPackArb, userPackArb } from './packs.js'
import type { Case } from './reducer-trial.js'
import type { Kind, Rule } from './rules.js'
import { type Arrival, batchesOf, inTime, townStreamArb, visitorName, visitorStreamArb } from './streams.js'
import { Town } from './town.js'
import { checkFlips, compare, LawBroken, type Mutant, type Seen } from './verdicts.js'

export const engineCaseArb: fc.Arbitrary<Case> = fc.record({
  pack: fullPackArb,
  stream: townStreamArb,
  picks: fc.array(fc.nat({ max: 100_000 }), { minLength: 4, maxLength: 12 }),
})

/** Users, and visitors who turn out to be one of them. */
export const peopleCaseArb: fc.Arbitrary<Case> = fc.record({
  pack: userPackArb,
  stream: visitorStreamArb,
  picks: fc.array(fc.nat({ max: 100_000 }), { minLength: 4, maxLength: 12 }),
})

export interface EngineTrialOptions {
  /** A fresh store; in memory when left out. */
  readonly store?: Store
  readonly mutant?: Mutant | undefined
}

/**
 * The whole engine under a virtual clock: three users, their communities and their leaders; every event comes twice. After
 * each batch and at each probe everybody stands where the oracle says.
 */
export async function tryEngine({ pack, stream, picks }: Case, options: EngineTrialOptions = {}): Promise<void> {
  const town = new Town(new Oracle(pack))
  const steps = inTime(batchesOf(stream), probesOf(pack, stream, picks))
  const world = await openWorld(pack, steps[0]?.now ?? 0, options)
  try {
    let before: readonly IncomingEvent[] = []
    let decided = 0
    for (const { now, events } of steps) {
      await world.advanceTo(now)
      const decisions = await world.decisions()
      await checkFlips(decisions.slice(decided), (at) => town.standings(at))
      if (events.length > 0) {
        const incoming = events.map(incomingOf)
        // Those of the batch before come again.
        const { accepted } = await world.ingest(...incoming, ...before)
        if (accepted !== events.length) throw new LawBroken(`${accepted} of ${events.length} events were new`)
        before = incoming
        town.learn(events, now)
      }
      decided = (await world.decisions()).length
      for (const [name, right] of await town.standings(now)) compare(name, await seen(world, name), right, now)
    }
  } finally {
    await world.close()
  }
}

async function openWorld(pack: readonly Rule[], now: number, options: EngineTrialOptions): Promise<World> {
  const { store = memoryStore(), mutant } = options
  const rules = definePack(pack)
  const program = compileProgram(rules)
  mutant?.(program)
  const clock = virtualClock(now)
  const engine = await startEngine({ rules, clock, database: store }, program)
  return new World(engine, clock, [])
}

/** An arrival as a host sends it. */
export function incomingOf({
  type,
  messageId,
  event,
  userId,
  at,
  properties,
  traits,
  groupId,
  ...more
}: Arrival): IncomingEvent {
  const visitor = userId.startsWith(visitorName('')) ? userId.slice(visitorName('').length) : undefined
  const who = visitor === undefined ? { userId, ...whoElse(more) } : { anonymousId: visitor }
  const common = { type, messageId, ...who, timestamp: at }
  if (type === 'track') return { ...common, event, properties }
  return { ...common, traits: traits ?? {}, ...(groupId !== undefined && { groupId }) }
}

function whoElse({ anonymousId }: Pick<Arrival, 'anonymousId'>) {
  return anonymousId === undefined ? {} : { anonymousId }
}

async function seen({ engine }: World, name: string): Promise<Seen | undefined> {
  const end = name.indexOf(':')
  const subject = await engine.subject(name.slice(0, end) as Kind, name.slice(end + 1))
  if (subject === undefined) return undefined
  const scores = Object.entries(subject.scores).map(([score, { value }]) => [score, value] as const)
  return { tags: new Set(subject.tags), scores: new Map(scores) }
}
