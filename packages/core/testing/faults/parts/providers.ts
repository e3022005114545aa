import { randomBytes } from 'node:crypto'
import { definePack, hashShare } from '@linli/rules'
import type { Engine } from '../../../src/door.js'
import { createEngine } from '../../../src/engine.js'
import type { Channel, RepeatSafety, SendResult } from '../../../src/ports/channel.js'
import type { Delivery } from '../../../src/ports/store.js'
import { virtualClock } from '../../../src/queue/clocks.js'
import { memoryStore } from '../../../src/storage/memory/store.js'
import { type MemoryChannel, type MemoryOutcome, memoryChannel } from '../../../src/testing/memory-channel.js'
import { journey, send, template } from '../../rules.js'
import { NOON } from '../../shop.js'
import type { Finding } from '../checks.js'
import { type Bench, type Outcome, type Part, sumOf, tryCases } from '../part.js'
import { StormyRedis } from '../stormy-redis.js'

// Providers of which three of ten calls fail, one of ten after the message was taken.

export const PROVIDERS: Part = {
  name: 'T10',
  does: 'three of ten calls fail, one of ten after the provider has taken the message; two processes keep to a rate',
  run: async (bench) => {
    const many = await tryCases(bench, CALLS / (PEOPLE * CHANNELS.length), tryProviders)
    const rated = await keepRate(bench)
    return { did: sumOf([many.did, rated.did]), findings: [...many.findings, ...rated.findings] }
  },
}

const CALLS = 48_000
const PEOPLE = 300
/** More calls than any message may cost: those that are put off, those that are repeated, and the first. */
const MOST_ATTEMPTS = 40

const CHANNELS: readonly (readonly [string, RepeatSafety])[] = [
  ['sms', { kind: 'idempotent', windowMs: 86_400_000 }],
  ['wecom', { kind: 'queryable' }],
  ['app', { kind: 'none' }],
]

const RULES = definePack([
  template('hello'),
  ...CHANNELS.map(([channel]) => journey(`by-${channel}`, [send('push', { channel, class: 'service' })])),
])

/** What a call meets, by chance. */
function fault(chance: number, at: Date): MemoryOutcome | 'throw' | 'babble' {
  if (chance < 0.05) return 'lost_after'
  if (chance < 0.1) return 'hang'
  if (chance < 0.15) return 'lost_before'
  if (chance < 0.2) return { status: 'deferred', retryAt: new Date(at.getTime() + 1000) }
  if (chance < 0.24) return 'throw'
  if (chance < 0.28) return 'babble'
  if (chance < 0.3) return { status: 'refused', reason: 'other', detail: 'no' }
  return { status: 'accepted' }
}

/** A channel whose provider fails so; what it says is not always an answer. */
function unreliable(name: string, repeat: RepeatSafety, seed: number): { channel: Channel; memory: MemoryChannel } {
  const memory = memoryChannel({ name, repeat })
  let calls = 0
  const channel: Channel = {
    name,
    repeat,
    send: (message, context) => {
      const met = fault(hashShare(`${seed}|${name}|${++calls}`), context.at)
      if (met === 'throw') throw new TypeError('a bug of the adapter')
      if (met === 'babble') return Promise.resolve({ status: 'fine' } as unknown as SendResult)
      memory.respond(met)
      return memory.send(message, context)
    },
    ...(memory.lookUp !== undefined && { lookUp: memory.lookUp.bind(memory) }),
  }
  return { channel, memory }
}

async function tryProviders(seed: number): Promise<Outcome> {
  const clock = virtualClock(NOON)
  const sides = CHANNELS.map(([name, repeat]) => unreliable(name, repeat, seed))
  const channels = sides.map(({ channel }) => channel)
  const engine = await createEngine({ rules: RULES, database: memoryStore(), clock, channels, callTimeoutMs: 5 })
  const carts = Array.from({ length: PEOPLE }, (_, n) => ({ event: 'cart', userId: `u${n}`, messageId: `c${n}` }))
  await engine.ingest(carts)
  await untilNothingIsDue(engine, clock)
  const deliveries = await engine.deliveries()
  const taken = sides.flatMap(({ memory }) => memory.sent.map(({ deliveryKey }) => deliveryKey))
  const { violations } = await engine.verify()
  await engine.close()
  const findings = [
    ...violations.map(({ invariant, found }) => ({ promise: invariant, found })),
    ...checkOutcomes(deliveries, taken),
  ]
  if (deliveries.length !== PEOPLE * CHANNELS.length)
    findings.push({ promise: 'everybody is written to', found: `${deliveries.length} messages` })
  return {
    did: { calls: sides.reduce((sum, { memory }) => sum + memory.calls.length, 0), deliveries: deliveries.length },
    findings,
  }
}

async function untilNothingIsDue(engine: Engine, clock: ReturnType<typeof virtualClock>): Promise<void> {
  for (let turns = 0; turns < 10_000; turns++) {
    await engine.settle()
    const due = await engine.nextDue()
    if (due === undefined) return
    clock.moveTo(due)
  }
}

/** Nothing leaves twice, all end, each with a reason where it did not leave, and what is on record is what left. */
function checkOutcomes(deliveries: readonly Delivery[], taken: readonly string[]): readonly Finding[] {
  const left = new Set(taken)
  const findings: Finding[] = []
  const report = (promise: string, { key, state, body }: Delivery) =>
    findings.push({ promise, found: `${key} by ${String(body.channel)} is "${state}"` })
  if (left.size < taken.length)
    findings.push({ promise: 'a message leaves once', found: `${taken.length - left.size} left again` })
  for (const one of deliveries) {
    const hasEnded = ['accepted', 'rejected', 'parked', 'suppressed'].includes(one.state)
    if (!hasEnded || one.dueAt !== undefined) report('every message comes to an end', one)
    if (one.state === 'accepted' && !left.has(one.key)) report('what is accepted has left', one)
    if (['rejected', 'suppressed'].includes(one.state) && left.has(one.key))
      report('what is rejected has not left', one)
    if (one.state !== 'accepted' && one.reason === undefined) report('what did not leave has a reason', one)
    if (one.attempt > MOST_ATTEMPTS) report('no message is tried for ever', one)
  }
  return findings
}

const RATE = { max: 50, perMs: 500 }
const RATED_CALLS = 2_000

/** Two engines, as two processes would be, and one rate for both. */
async function keepRate(bench: Bench): Promise<Outcome> {
  const { url: database } = await bench.postgres()
  const redis = await StormyRedis.start()
  const schema = `rate_${randomBytes(6).toString('hex')}`
  const times: number[] = []
  let calls = 0
  const sms: Channel = {
    name: 'sms',
    repeat: { kind: 'none' },
    rate: RATE,
    send: async () => {
      times.push(performance.now())
      if (hashShare(`${bench.seed}|rate|${++calls}`) < 0.3) throw new Error('nobody knows')
      return { status: 'accepted' }
    },
  }
  const rules = definePack([template('hello'), journey('by-sms', [send('push', { class: 'service' })])])
  const open = () =>
    createEngine({ rules, database, schema, channels: [sms], redis: redis.url, onError: () => undefined })
  const engines = [await open(), await open()]
  try {
    for (const engine of engines) engine.start()
    const wanted = bench.share(RATED_CALLS)
    const carts = Array.from({ length: wanted }, (_, n) => ({ event: 'cart', userId: `u${n}`, messageId: `c${n}` }))
    // Those of the first moment may be made by a process that has not met Redis yet.
    while ((await engines[0]?.health())?.redis?.ok !== true) await new Promise((resolve) => setTimeout(resolve, 50))
    await engines[0]?.ingest(carts)
    const giveUpAt = performance.now() + 60_000 + (4 * wanted * RATE.perMs) / RATE.max
    while (times.length < wanted && performance.now() < giveUpAt)
      await new Promise((resolve) => setTimeout(resolve, 50))
  } finally {
    for (const engine of engines) await engine.close()
    await redis.close()
  }
  return { did: { calls: times.length, 'calls at a rate': times.length }, findings: checkRate(times) }
}

/** What clocks that count whole milliseconds may differ by. */
const ROUNDING_MS = 2

/** In no window, wherever it begins, are there more calls than the rate. */
function checkRate(times: readonly number[]): readonly Finding[] {
  const { max, perMs } = RATE
  const first = times.findIndex(
    (from, index) => (times[index + max] ?? Number.POSITIVE_INFINITY) - from < perMs - ROUNDING_MS,
  )
  if (first < 0) return []
  const found = `${max + 1} calls within ${Math.round((times[first + max] ?? 0) - (times[first] ?? 0))} ms`
  return [{ promise: `no more than ${max} calls in ${perMs} ms`, found }]
}
