import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { sharedPglite } from '../../testing/database.js'
import { CHANNELS, HER, herEvents, MARK, marked, PEOPLE_RULES } from '../../testing/people.js'
import { group, NOON, track } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import { virtualClock } from '../queue/clocks.js'
import { openStore } from './open.js'
import { openPostgres } from './sql/postgres.js'

const postgresUrl = inject('postgresUrl')
const server = postgresUrl === undefined ? undefined : openPostgres(postgresUrl, {})
afterAll(() => server?.destroy())

const databases = [
  ['PGlite', sharedPglite],
  ['PostgreSQL', async () => server],
] as const

/** All that an engine can be asked for, as text. */
async function toldBy(engine: Engine): Promise<string> {
  const her = ['user', HER] as const
  const answers = [
    await engine.subject(...her),
    await engine.subject('community', 'c-1'),
    await engine.decisions(),
    await engine.deliveries(),
    await engine.suggestions(),
    await engine.merges(),
    await engine.halts(),
    [...(await engine.pools())],
  ]
  return JSON.stringify(answers)
}

describe.each(databases)('two engines in two schemas of one %s', (name, open) => {
  it.skipIf(name === 'PostgreSQL' && server === undefined)(
    'share nothing, although all their ids are the same',
    async () => {
      const db = await open()
      const clock = virtualClock(NOON)
      const schemas = [1, 2].map((number) => `two_${number}_${randomBytes(6).toString('hex')}`)
      const start = async (schema = '') => {
        const database = await openStore(db as never, {
          schema,
          clock: 'engine',
          ...(name === 'PGlite' && { concurrency: 1 }),
        })
        const channels = [...CHANNELS, 'slow'].map((channel) => marked(channel))
        return createEngine({ rules: definePack(PEOPLE_RULES), database, clock, channels })
      }
      const [one, other] = [await start(schemas[0]), await start(schemas[1])]
      const strangers = [group(HER, 'c-1'), track('order', HER, { phone: '1', orderId: '1', items: [{ name: '米' }] })]
      await other.ingest(strangers)
      await other.settle()
      const before = await toldBy(other)

      for (const event of herEvents()) await one.ingest([event])
      await one.settle()
      await one.pause({ channel: 'halted' })
      expect(await toldBy(one)).toContain(`${MARK}-name`)

      expect(await toldBy(other)).toBe(before)
      expect(await other.ingest(herEvents().slice(0, 1))).toMatchObject({ accepted: 1 })
      await one.erasePerson(HER)
      expect((await other.subject('user', HER))?.relations).toEqual({ community: 'c-1' })
      expect(
        await other.ingest([track('order', HER, { phone: '2', orderId: '2', items: [{ name: '米' }] })]),
      ).toMatchObject({
        accepted: 1,
      })
      await one.close()
      await other.close()
    },
  )
})

describe('the name of a schema', () => {
  it.each(['', 'x'.repeat(64), '邻'.repeat(22), 'pg_catalog', 'PG_temp', 'information_schema', 'a\0b'])(
    'cannot be %j',
    async (schema) => {
      const opened = openStore((await sharedPglite()) as never, { schema })
      await expect(opened).rejects.toMatchObject({ code: 'database.schema' })
    },
  )
})
