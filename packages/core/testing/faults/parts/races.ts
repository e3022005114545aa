import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import type { Engine } from '../../../src/door.js'
import { createEngine } from '../../../src/engine.js'
import { type VirtualClock, virtualClock } from '../../../src/queue/clocks.js'
import { openStore } from '../../../src/storage/open.js'
import { type MemoryChannel, memoryChannel } from '../../../src/testing/memory-channel.js'
import { journey, send, template, wait } from '../../rules.js'
import { NOON } from '../../shop.js'
import type { Finding } from '../checks.js'
import { type Bench, type Outcome, type Part, sumOf } from '../part.js'

// Eight engines do at once what is due, and all of it is about the same few rows.

export const RACES: Part = {
  name: 'T11',
  does: 'eight engines race for caps, for the last coupon, and against somebody who opts out',
  run: async (bench) => {
    const all: Outcome[] = []
    for (const [race, rounds] of [
      [raceForCaps, CAP_ROUNDS],
      [raceForCoupons, COUPON_ROUNDS],
      [raceOptOuts, OUT_ROUNDS],
    ] as const)
      for (let round = 0; round < bench.share(rounds); round++) all.push(await race(bench))
    return { did: sumOf(all.map(({ did }) => did)), findings: all.flatMap(({ findings }) => findings) }
  },
}

const ENGINES = 8
const HOUR = 3_600_000

class Racers {
  readonly clock: VirtualClock = virtualClock(NOON)
  readonly sms: MemoryChannel = memoryChannel({ name: 'sms', repeat: { kind: 'none' } })
  engines: readonly Engine[] = []

  static async open(bench: Bench, rules: readonly unknown[]): Promise<Racers> {
    const racers = new Racers()
    const { url } = await bench.postgres()
    const schema = `races_${randomBytes(6).toString('hex')}`
    const { clock, sms } = racers
    const open = async () => {
      const database = await openStore(url, { schema, clock: 'engine', pool: { max: 4 } })
      return createEngine({ rules: definePack(rules), database, clock, channels: [sms] })
    }
    // The first makes the tables.
    const first = await open()
    racers.engines = [first, ...(await Promise.all(Array.from({ length: ENGINES - 1 }, open)))]
    return racers
  }

  get first(): Engine {
    const [first] = this.engines
    if (first === undefined) throw new Error('There is no engine.')
    return first
  }

  async begin(users: readonly string[]): Promise<void> {
    await this.first.ingest(users.map((userId) => ({ event: 'cart', userId, messageId: `cart-${userId}` })))
    this.clock.moveTo(this.clock.now() + HOUR)
  }

  async workAtOnce(): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.settle()))
  }

  async end(): Promise<readonly Finding[]> {
    const { violations } = await this.first.verify()
    const keys = this.sms.calls.map(({ message }) => message.deliveryKey)
    await Promise.all(this.engines.map((engine) => engine.close()))
    const twice = keys.length - new Set(keys).size
    return [
      ...violations.map(({ invariant, found }) => ({ promise: invariant, found })),
      ...(twice > 0 ? [{ promise: 'a message leaves once', found: `${twice} were called for again` }] : []),
    ]
  }
}

const usersOf = (count: number) => Array.from({ length: count }, (_, index) => `u${index}`)
const after = (id: string, step: object) => journey(id, [wait('a-while', '1h'), { id: 'it', ...step }])

const CAP_ROUNDS = 20
const CAP = { kind: 'policy', id: 'two', cap: { max: 2, within: '7d' } }
const TRIES = 8

async function raceForCaps(bench: Bench): Promise<Outcome> {
  const tries = Array.from({ length: TRIES }, (_, index) => journey(`j${index}`, [wait('a-while', '1h'), send('push')]))
  const racers = await Racers.open(bench, [template('hello'), CAP, ...tries])
  const users = usersOf(500)
  await racers.begin(users)
  await racers.workAtOnce()
  const counts = new Map<string, number>()
  for (const { message } of racers.sms.calls) counts.set(message.to.id, (counts.get(message.to.id) ?? 0) + 1)
  const wrong = users.filter((id) => counts.get(id) !== CAP.cap.max)
  const findings = wrong.map((id) => ({
    promise: 'a cap holds, and is used',
    found: `${id} got ${counts.get(id) ?? 0}`,
  }))
  return {
    did: { 'tries at a cap': users.length * TRIES },
    findings: [...findings.slice(0, 5), ...(await racers.end())],
  }
}

const COUPON_ROUNDS = 10
const OFFERS = 50
const TAKERS = 64

async function raceForCoupons(bench: Bench): Promise<Outcome> {
  const offers = Array.from({ length: OFFERS }, (_, index) => `o${index}`)
  const racers = await Racers.open(bench, [
    ...offers.map((id) => ({ kind: 'offer', id, total: 1 })),
    ...offers.map((offer) => after(`j-${offer}`, { issue: { offer } })),
  ])
  await racers.begin(usersOf(TAKERS))
  await racers.workAtOnce()
  const issued = (await racers.first.decisions()).filter(({ decision }) => decision === 'coupon.issued')
  const pools = [...(await racers.first.pools()).values()].filter(({ issued: given }) => given !== 1)
  const isRight = issued.length === OFFERS && pools.length === 0
  const found = `${issued.length} coupons of ${OFFERS} were given`
  const findings = isRight ? [] : [{ promise: 'the last coupon is given once', found }]
  return { did: { 'races for the last coupon': OFFERS }, findings: [...findings, ...(await racers.end())] }
}

const OUT_ROUNDS = 8
const LEAVERS = 250
/** A call that was cleared before may start so much later. */
const LEAD_MS = 5_000

async function raceOptOuts(bench: Bench): Promise<Outcome> {
  const racers = await Racers.open(bench, [template('hello'), journey('remind', [wait('a-while', '1h'), send('push')])])
  const called = new Map<string, number>()
  const take = racers.sms.send.bind(racers.sms)
  racers.sms.send = (message, context) => {
    called.set(message.to.id, performance.now())
    return take(message, context)
  }
  const users = usersOf(LEAVERS)
  await racers.begin(users)
  const out = new Map<string, number>()
  const leave = async (userId: string, index: number) => {
    await racers.engines[index % ENGINES]?.ingest([{ event: 'consent_withdrawn', userId, messageId: `out-${userId}` }])
    out.set(userId, performance.now())
  }
  await Promise.all([racers.workAtOnce(), ...users.map(leave)])
  await racers.workAtOnce()
  const late = users.filter((id) => (called.get(id) ?? 0) > (out.get(id) ?? 0) + LEAD_MS)
  const suppressed = (await racers.first.deliveries({ state: 'suppressed' })).length
  const findings: Finding[] = late.map((found) => ({ promise: 'who opted out gets nothing', found }))
  if (suppressed + called.size !== LEAVERS)
    findings.push({ promise: 'each is sent or suppressed', found: `${called.size} and ${suppressed} of ${LEAVERS}` })
  return {
    did: { 'opt-outs against sends': LEAVERS, sent: called.size },
    findings: [...findings, ...(await racers.end())],
  }
}
