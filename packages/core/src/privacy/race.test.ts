import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { dump, HER, herEvents, MARK, marked, tracesIn } from '../../testing/people.js'
import { atLeast, journey, send, tag, template, wait } from '../../testing/rules.js'
import { group, NOON, track } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import { type VirtualClock, virtualClock } from '../queue/clocks.js'
import { openStore } from '../storage/open.js'
import { openPostgres } from '../storage/sql/postgres.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined)
  console.warn('SKIPPED: erasing while other processes work, on PostgreSQL; there is no database.')

const ROUNDS = 12
const HOUR = 3_600_000
const RULES = [
  template('hello', '{{ entry.phone }}'),
  ...['a', 'b', 'c'].map((id) =>
    journey(id, [send('now', { channel: 'accepts' }), wait('a-while', '1h'), send('then', { channel: 'accepts' })], {
      entry: { on: 'event', event: 'order' },
      reentry: 'always',
    }),
  ),
  tag('busy', atLeast(2, 'order'), { subject: 'community' }),
  tag(
    'two-people',
    { fact: 'userCount', operator: 'greaterThan', value: 1, params: { event: 'order' } },
    { subject: 'community' },
  ),
]

describe.skipIf(postgresUrl === undefined)('a person who is erased while two processes take events in and send', () => {
  const db = openPostgres(postgresUrl ?? 'postgres://nowhere', {})
  let schema: string
  let clock: VirtualClock
  let engines: Engine[]
  let begun: { readonly to: string; readonly cleared: boolean }[]
  let isErased: boolean

  const open = async () => {
    const store = await openStore(postgresUrl ?? '', { schema, clock: 'engine' })
    const accepts = marked('accepts', async ({ to, deliveryKey }) => {
      // Of a call that was cleared before the erasure no delivery is left.
      const open = isErased ? await store.readDeliveries({ state: 'calling' }) : []
      begun.push({ to: to.id, cleared: open.some(({ key }) => key === deliveryKey) })
      await new Promise((resolve) => setImmediate(resolve))
      return { status: 'accepted', providerId: `${MARK}-provider` }
    })
    return createEngine({ rules: definePack(RULES), database: store, clock, channels: [accepts] })
  }

  beforeEach(async () => {
    schema = `erasure_${randomBytes(6).toString('hex')}`
    clock = virtualClock(NOON)
    begun = []
    isErased = false
    engines = [await open(), await open()]
  })
  afterEach(() => Promise.all(engines.map((engine) => engine.close())))

  it.each(Array.from({ length: ROUNDS }, (_, round) => round))(
    'is sent nothing any more, and nothing comes back (round %i)',
    async (round) => {
      const [one, two] = engines as [Engine, Engine]
      const other = [group('other', 'c-1'), track('order', 'other')]
      // In every second round nothing is known of her before.
      const [before, during] = round % 2 === 0 ? [herEvents(), herEvents()] : [[], [...herEvents(), ...herEvents()]]
      await one.ingest([...other, ...before])
      await one.settle()
      clock.moveTo(clock.now() + HOUR)

      const work = [
        ...during.flatMap((event) => [one.ingest([event]), two.ingest([event, track('order', 'other')])]),
        one.settle(),
        two.settle(),
      ]
      for (let turns = 0; turns < round * 3; turns++) await new Promise((resolve) => setImmediate(resolve))
      await two.erasePerson(HER)
      isErased = true
      const late = herEvents().map((event) => one.ingest([event]))
      await Promise.all([...work, ...late])
      // What came before her names were known to belong together came as somebody of its own.
      for (const name of [`${MARK}-u-2`, `anon:${MARK}-visitor`, `id:openid:${MARK}-openid`])
        await one.erasePerson(name)
      clock.moveTo(clock.now() + 2 * HOUR)
      await Promise.all([one.settle(), two.settle()])
      await one.settle()

      expect(begun.filter(({ to, cleared }) => cleared && to === HER)).toEqual([])
      expect(tracesIn(await dump(db, schema))).toEqual([])
      expect((await one.subject('community', 'c-1'))?.tags).toEqual(['busy'])
    },
    60_000,
  )

  it('is named by nothing that contradicts what somebody else has said', async () => {
    const [one] = engines as [Engine, Engine]
    await one.ingest(herEvents())
    await one.erasePerson(HER)
    const contradiction = () => {
      const first = track('order', 'other')
      return [first, { ...track('view', HER), messageId: first.messageId }]
    }

    await one.ingest(contradiction())
    for (const event of contradiction()) await one.ingest([event])
    await Promise.all(contradiction().map((event) => one.ingest([event])))

    expect(tracesIn(await dump(db, schema))).toEqual([])
  })

  it('is erased once, however many do so at once', async () => {
    const [one, two] = engines as [Engine, Engine]
    await one.ingest(herEvents())

    const erasures = await Promise.all([one, two, one, two].map((engine) => engine.erasePerson(HER)))

    expect(new Set(erasures.map(({ reference }) => reference)).size).toBe(1)
    expect(erasures.filter(({ events }) => events > 0)).toHaveLength(1)
    expect(tracesIn(await dump(db, schema))).toEqual([])
  }, 60_000)
})
