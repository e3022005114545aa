import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import type { Kysely } from 'kysely'
import { afterEach, describe, expect, inject, it, vi } from 'vitest'
import { CHANNELS, dump, HER, herEvents, lossy, MARK, marked, PEOPLE_RULES, tracesIn } from '../../testing/people.js'
import { group, NOON, track } from '../../testing/shop.js'
import { createEngine } from '../engine.js'
import type { Channel } from '../ports/channel.js'
import { virtualClock } from '../queue/clocks.js'
import { openStore } from '../storage/open.js'
import { openPglite } from '../storage/sql/pglite.js'
import { openPostgres } from '../storage/sql/postgres.js'
import { gate } from '../testing/store-checks/material.js'

const postgresUrl = inject('postgresUrl')
const HOUR = 3_600_000
const IN_FLIGHT = [
  'accepted',
  'awaiting_person',
  'calling',
  'parked',
  'paused',
  'planned',
  'rejected',
  'retry_at',
  'unknown',
]

const databases: readonly (readonly [
  string,
  () => Promise<{ readonly db: Kysely<unknown>; close(): Promise<void> }>,
])[] = [
  ['PGlite', () => openPglite(undefined)],
  [
    'PostgreSQL',
    async () => {
      const db = openPostgres(postgresUrl ?? '', {})
      return { db, close: () => db.destroy() }
    },
  ],
]

afterEach(() => vi.restoreAllMocks())

describe.each(databases)('on %s, of somebody who was erased while everything is under way', (name, open) => {
  it.skipIf(name === 'PostgreSQL' && postgresUrl === undefined)(
    'nothing is left in any table, and nothing comes back',
    async () => {
      const { db, close } = await open()
      const schema = `canary_${randomBytes(6).toString('hex')}`
      const clock = virtualClock(NOON)
      const [called, mayAnswer] = [gate(), gate()]
      const calls: string[] = []
      const written = ['log', 'warn', 'error', 'info'] as const
      const logged = written.map((method) => vi.spyOn(console, method).mockImplementation(() => undefined))
      const slow = marked('slow', async ({ to }) => {
        calls.push(to.id)
        called.open()
        await mayAnswer.opened
        return { status: 'accepted', providerId: `${MARK}-late` }
      })
      const others: readonly Channel[] = CHANNELS.filter((one) => !['lost', 'doubtful'].includes(one)).map((one) => {
        const channel = marked(one)
        const send: Channel['send'] = (message, context) => {
          calls.push(message.to.id)
          return channel.send(message, context)
        }
        return { ...channel, send }
      })
      const channels = [...others, slow, lossy('lost', { kind: 'none' }), lossy('doubtful', { kind: 'queryable' })]
      const store = await openStore(db, { schema, clock: 'engine', concurrency: name === 'PGlite' ? 1 : 3 })
      const failures: unknown[] = []
      const engine = await createEngine({
        rules: definePack(PEOPLE_RULES),
        database: store,
        clock,
        channels,
        makeCode: () => `${MARK}-code-${randomBytes(4).toString('hex')}`,
        onError: (error) => failures.push(error),
      })
      const stranger = [
        group('other', 'c-1'),
        track('consent_granted', 'other'),
        track('order', 'other', { phone: '1', orderId: '1', items: [{ name: '米' }] }),
      ]
      await engine.pause({ channel: 'halted' })
      for (const event of [...herEvents(), ...stranger]) await engine.ingest([event])
      clock.moveTo(clock.now() + HOUR)
      await engine.settle()
      await engine.ingest([
        { event: 'hurried', userId: HER, messageId: `${MARK}-hurry`, properties: { phone: `${MARK}-hurry` } },
      ])
      const settled = engine.settle()
      await called.opened
      // What she does at this very moment is still to be heard of by her community.
      await engine.ingest([
        { event: 'order', userId: HER, messageId: `${MARK}-last`, properties: { phone: `${MARK}-last` } },
      ])
      await engine.ingest(
        [{ event: 'order', userId: HER, messageId: `${MARK}-old`, properties: { phone: `${MARK}-old` } }],
        { mode: 'history' },
      )
      const before = await dump(db, schema)
      const states = new Set((await engine.deliveries({ subject: ['user', HER] })).map(({ state }) => state))

      const { reference } = await engine.erasePerson(HER)
      calls.length = 0
      mayAnswer.open()
      await settled
      await engine.settle()

      const marks = [...before].filter(([, text]) => text.includes(MARK)).map(([table]) => table)
      expect(marks).toEqual([
        'coupon',
        'decision',
        'delivery',
        'event',
        'identity',
        'inbox',
        'merge',
        'subject',
        'subject_key',
      ])
      expect([...states].sort()).toEqual(IN_FLIGHT)
      expect(tracesIn(await dump(db, schema))).toEqual([])

      clock.moveTo(clock.now() + 40 * 24 * HOUR)
      for (const event of herEvents()) await engine.ingest([event])
      await engine.settle()
      clock.moveTo(clock.now() + 40 * 24 * HOUR)
      await engine.settle()

      expect(calls.filter((to) => to.includes(MARK))).toEqual([])
      expect(tracesIn(await dump(db, schema))).toEqual([])
      expect(JSON.stringify([logged.flatMap(({ mock }) => mock.calls), failures.map(String)])).not.toContain(MARK)
      expect(await engine.subject('user', 'other')).toMatchObject({ relations: { community: 'c-1' } })
      expect((await engine.decisions()).filter(({ subject }) => subject === reference).length).toBeGreaterThan(5)
      await engine.close()
      await close()
    },
    120_000,
  )
})
