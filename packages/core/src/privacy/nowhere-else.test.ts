import { inspect } from 'node:util'
import { type Meter, type MeterProvider, metrics } from '@opentelemetry/api'
import { Redis } from 'ioredis'
import { type Kysely, sql } from 'kysely'
import { afterEach, describe, expect, inject, it, vi } from 'vitest'
import { startPrivateRedis } from '../../../../test/private-redis.js'
import { sharedPglite } from '../../testing/database.js'
import { CHANNELS, HER, herEvents, lossy, MARK, marked, PEOPLE_RULES } from '../../testing/people.js'
import { Several } from '../../testing/several.js'
import { redact } from '../storage/sql/failures.js'
import { openPostgres } from '../storage/sql/postgres.js'

const postgresUrl = inject('postgresUrl')
const redisUrl = inject('redisUrl')
const isThere = postgresUrl !== undefined && redisUrl !== undefined
const several = new Several(postgresUrl ?? '')
const LONG = 60_000

const all = (value: unknown) =>
  inspect(value, { depth: 12, showHidden: true, maxArrayLength: null, maxStringLength: null })

afterEach(() => {
  vi.restoreAllMocks()
  metrics.disable()
})

/** Keeps all that is measured. */
function meterThatKeeps() {
  const told: unknown[] = []
  const counter = (name: string) => ({ add: (...value: unknown[]) => void told.push([name, value]) })
  const gauge = () => ({ addCallback: () => undefined, removeCallback: () => undefined })
  const meter = { createCounter: counter, createObservableGauge: gauge } as unknown as Meter
  metrics.setGlobalMeterProvider({ getMeter: () => meter } satisfies MeterProvider)
  return told
}

/** Everything that a process prints. */
function printed() {
  const lines: unknown[][] = []
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => void lines.push(args))
  }
  return lines
}

/** From now on, rows of decisions are refused by an error that quotes them. */
async function refuseDecisions(db: Kysely<unknown>, schema: string) {
  await sql`create function ${sql.id(schema, 'refuse')}() returns trigger language plpgsql as
    $$ begin raise exception 'refused' using errcode = '23514', detail = new::text; end $$`.execute(db)
  await sql`create trigger refuse before insert on ${sql.id(schema, 'decision')}
    for each row execute function ${sql.id(schema, 'refuse')}()`.execute(db)
}

describe.skipIf(!isThere)('what is known of a person', () => {
  it('is in the database, and neither in Redis nor in errors nor in what is printed and measured', async () => {
    const [told, lines] = [meterThatKeeps(), printed()]
    const watcher = await new Redis(redisUrl ?? '').monitor()
    const commands: string[] = []
    watcher.on('monitor', (_time: string, args: readonly string[]) => commands.push(args.join(' ')))
    several.begin(redisUrl)
    const channels = [
      ...[...CHANNELS, 'slow'].filter((one) => !['lost', 'doubtful'].includes(one)).map((one) => marked(one)),
      lossy('lost', { kind: 'none' }),
      lossy('doubtful', { kind: 'queryable' }),
    ]
    const engine = await several.open(PEOPLE_RULES, channels, { makeCode: () => `${MARK}-code` })
    engine.start()
    for (const event of herEvents()) await engine.ingest([event])
    await engine.ingest([{ event: 'hurried', userId: HER, messageId: `${MARK}-hurry`, properties: { phone: MARK } }])
    const open = ['planned', 'reserved', 'calling']
    const underWay = async () => {
      const deliveries = await engine.deliveries()
      return deliveries.length > 10 ? deliveries.filter(({ state }) => open.includes(state)).length : 'too few'
    }
    await expect.poll(underWay, { timeout: LONG }).toBe(0)
    expect(JSON.stringify(await engine.deliveries())).toContain(`${MARK}-code`)
    expect(JSON.stringify(await engine.decisions())).not.toContain(`${MARK}-code`)

    const db = openPostgres(postgresUrl ?? '', {})
    await refuseDecisions(db, several.schema)
    await db.destroy()
    const [last] = [...herEvents()].filter(({ event }) => event === 'order')
    const refused: unknown = await engine.ingest(last === undefined ? [] : [last]).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: '23514' })
    await several.close()
    watcher.disconnect()

    expect(commands.some((command) => command.includes('channel.accepts'))).toBe(true)
    expect(told.length).toBeGreaterThan(10)
    for (const place of [commands, refused, several.errors, lines, told]) expect(all(place)).not.toContain(MARK)
  })

  it('and the password of Redis is in no error, whether it is right or wrong', async () => {
    const redis = await startPrivateRedis()
    const admin = new Redis(redis.url)
    await admin.config('SET', 'requirepass', 'right-canary')
    admin.disconnect()
    several.begin(`redis://:wrong-canary@127.0.0.1:${redis.port}`)
    const thrown: unknown = await several.open([], []).then(
      (engine) => engine.start(),
      (error: unknown) => error,
    )
    if (thrown === undefined) await expect.poll(() => several.errors.length, { timeout: LONG }).toBeGreaterThan(0)
    await several.close()
    await redis.stop()
    expect(all([thrown, several.errors])).not.toContain('canary')
  })
})

describe('an error of the database', () => {
  const statements: readonly (readonly [string, (db: Kysely<unknown>) => Promise<unknown>])[] = [
    ['a row that is there', (db) => sql`insert into pg_temp.people values ('kanari', 1)`.execute(db)],
    ['a check', (db) => sql`insert into pg_temp.people values ('kanari-2', -7)`.execute(db)],
    ['a number', (db) => sql`select ${'kanari'}::text::bigint`.execute(db)],
    ['a time', (db) => sql`select ${'kanari'}::text::timestamptz`.execute(db)],
    ['a document', (db) => sql`select ${'{"a": kanari}'}::text::jsonb`.execute(db)],
    ['a value that is too long', (db) => sql`select ${'kanari'}::text::uuid`.execute(db)],
  ]

  it.each(statements)(
    'about %s does not quote it',
    async (_, run) => {
      const db = await sharedPglite()
      await sql`create table if not exists pg_temp.people (name text primary key, n int check (n > 0))`.execute(db)
      await sql`insert into pg_temp.people values ('kanari', 1) on conflict do nothing`.execute(db)
      const error: unknown = await run(db).then(
        () => 'no error',
        (reason: unknown) => reason,
      )
      expect(all(error)).toContain(MARK)
      expect(error).toHaveProperty('code')
      expect(all(redact(error))).not.toContain(MARK)
    },
    180_000,
  )
})
