import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { definePack } from '@linli/rules'
import type { Engine } from '../../../src/door.js'
import { createEngine } from '../../../src/engine.js'
import type { IncomingEvent } from '../../../src/ingest/event.js'
import { openPostgres } from '../../../src/storage/sql/postgres.js'
import { CHANNELS, dump, MARK, marked, PEOPLE_RULES, tracesIn } from '../../people.js'
import type { Finding } from '../checks.js'
import { Chance } from '../nasty.js'
import type { Bench, Outcome, Part } from '../part.js'
import { StormyRedis } from '../stormy-redis.js'

export const ERASURE: Part = {
  name: 'T15',
  does: 'people are erased while everything of theirs is under way; tables, a backup, Redis and logs are searched for what was theirs',
  run: (bench) => eraseEverybody(bench),
}

const PEOPLE = 200
/** How many are in the middle of everything at a time. */
const AT_ONCE = 8
/** A call that was cleared before may start so much later. */
const LEAD_MS = 5_000

/** All that somebody does; every text of theirs is unmistakable. */
function deedsOf(person: number, more: string): readonly IncomingEvent[] {
  const of = (what: string) => `${MARK}-${person}-${what}`
  const said = (what: string) => ({ userId: of('u'), messageId: of(`${more}-${what}`) })
  const openid = { externalIds: [{ type: 'openid', id: of('openid') }] }
  const properties = { phone: of('phone'), orderId: of('order'), items: [{ name: of('item') }] }
  return [
    { event: 'viewed', anonymousId: of('visitor'), messageId: of(`${more}-v`), properties: { page: of('page') } },
    { ...said('i'), type: 'identify', anonymousId: of('visitor'), traits: { name: of('name') }, context: openid },
    { ...said('g'), type: 'group', groupId: `c-${person % 5}`, traits: { leaderId: 'l-1' } },
    { ...said('c'), event: 'consent_granted' },
    { ...said('o'), event: 'order', properties },
    { ...said('gift'), event: 'gifted', properties },
    { ...said('h'), event: 'hurried', properties },
    { ...said('bad'), event: 'order', timestamp: 'never' },
  ]
}

/** A stranger in each community, who stays. */
const NEIGHBOURS: readonly IncomingEvent[] = [0, 1, 2, 3, 4].flatMap((place) => [
  {
    type: 'group',
    userId: `n-${place}`,
    groupId: `c-${place}`,
    messageId: `n-${place}-g`,
    traits: { leaderId: 'l-1' },
  },
  {
    event: 'order',
    userId: `n-${place}`,
    messageId: `n-${place}-o`,
    properties: { phone: '1', items: [{ name: '米' }] },
  },
])

async function eraseEverybody(bench: Bench): Promise<Outcome> {
  const { url } = await bench.postgres()
  const redis = await StormyRedis.start()
  const db = openPostgres(url, {})
  const schema = `erasure_${randomBytes(6).toString('hex')}`
  const log = new ListeningConsole()
  const calls: { readonly to: string; readonly at: number }[] = []
  const open = () => {
    const channels = [...CHANNELS, 'slow'].map((name) => {
      const { send, ...rest } = marked(name)
      return {
        ...rest,
        send: async (...call: Parameters<typeof send>) => {
          calls.push({ to: call[0].to.id, at: performance.now() })
          await sleep(20)
          return send(...call)
        },
      }
    })
    const makeCode = () => `${MARK}-code-${randomBytes(8).toString('hex')}`
    const onError = (error: unknown) => log.note(error)
    return createEngine({
      rules: definePack(PEOPLE_RULES),
      database: url,
      schema,
      channels,
      makeCode,
      redis: redis.url,
      onError,
    })
  }
  const engines = [await open(), await open()]
  const findings: Finding[] = []
  try {
    for (const engine of engines) engine.start()
    await engines[0]?.ingest(NEIGHBOURS)
    const people = Array.from({ length: bench.share(PEOPLE) }, (_, person) => person)
    const erasedAt = new Map<string, number>()
    for (let from = 0; from < people.length; from += AT_ONCE) {
      const some = people.slice(from, from + AT_ONCE)
      await Promise.all(some.map((person) => liveAndBeErased(person, engines, bench.seed, erasedAt)))
      if (from % 40 === 0) bench.say(`${from + some.length} people`)
    }
    const found = await searchBeforeErasing(people.length, engines, erasedAt, async () => ({
      rows: tracesIn(await dump(db, schema)).length,
      lines: (await backupOf(url, schema))?.length,
    }))
    if (found.rows === 0 || found.lines === 0)
      findings.push({ promise: 'a search finds what is there', found: 'nothing' })
    if (found.lines === undefined) bench.say('there is no pg_dump: no backup is searched')
    // Their phones come back to the network, and say it all again.
    for (const person of people) await engines[1]?.ingest(deedsOf(person, 'first'))
    await sleep(LEAD_MS + 1_000)
    for (const engine of engines) await engine.settle()
    const tables = await dump(db, schema)
    const lines = [
      ...tracesIn(tables),
      ...((await backupOf(url, schema)) ?? []),
      ...(await redis.contents()).split('\n').filter((line) => line.includes(MARK)),
      ...log.lines.filter((line) => line.includes(MARK)),
    ]
    findings.push(...lines.slice(0, 20).map((found) => ({ promise: 'nothing is left of who was erased', found })))
    const late = calls.filter(({ to, at }) => at > (erasedAt.get(to) ?? Number.POSITIVE_INFINITY) + LEAD_MS)
    findings.push(...late.map(({ to }) => ({ promise: 'who was erased is not written to', found: to })))
    if (!(tables.get('subject') ?? '').includes('n-0'))
      findings.push({ promise: 'others stay', found: 'the neighbour is gone' })
    if (erasedAt.size < people.length)
      findings.push({ promise: 'everybody is erased', found: `${erasedAt.size} of ${people.length}` })
    return {
      did: {
        people: people.length,
        calls: calls.length,
        'tables searched': tables.size,
        'rows of the last before': found.rows,
        ...(found.lines !== undefined && { 'lines of the last in a backup before': found.lines }),
      },
      findings,
    }
  } finally {
    log.end()
    for (const engine of engines) await engine.close()
    await db.destroy()
    await redis.close()
  }
}

/** Somebody does all they do, by any engine, and is erased in the middle of it by another; and does more, too late. */
async function liveAndBeErased(
  person: number,
  engines: readonly Engine[],
  seed: number,
  erasedAt: Map<string, number>,
): Promise<void> {
  const chance = new Chance(seed + person)
  const userId = `${MARK}-${person}-u`
  await chance.one(engines).ingest(deedsOf(person, 'first'))
  const more = (async () => {
    for (let turn = 0; turn < 5; turn++) {
      await chance.one(engines).ingest(deedsOf(person, `more-${turn}`))
      await sleep(chance.below(60))
    }
  })()
  await sleep(chance.below(250))
  await chance.one(engines).erasePerson(userId)
  erasedAt.set(userId, performance.now())
  await more
}

interface Found {
  readonly rows: number
  /** Undefined where there is no program that makes backups. */
  readonly lines: number | undefined
}

/** The lines of a backup by `pg_dump` that have a text of theirs in them; undefined where there is none on this machine. */
async function backupOf(url: string, schema: string): Promise<readonly string[] | undefined> {
  try {
    const { stdout } = await promisify(execFile)('pg_dump', ['--dbname', url, '--schema', schema], { maxBuffer: 1e9 })
    return stdout.split('\n').filter((line) => line.includes(MARK))
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}

/** The last of them is looked for while they are there: a search that finds nothing proves nothing. */
async function searchBeforeErasing(
  person: number,
  [first]: readonly Engine[],
  erasedAt: Map<string, number>,
  search: () => Promise<Found>,
): Promise<Found> {
  await first?.ingest(deedsOf(person, 'first'))
  const found = await search()
  const userId = `${MARK}-${person}-u`
  await first?.erasePerson(userId)
  erasedAt.set(userId, performance.now())
  return found
}

/** Hears what is said on the console and to whom errors are told. */
class ListeningConsole {
  readonly lines: string[] = []
  private readonly methods = ['log', 'warn', 'error', 'info'] as const
  private readonly originals = this.methods.map((method) => console[method])

  constructor() {
    for (const [index, method] of this.methods.entries()) {
      console[method] = (...words: unknown[]) => {
        this.note(words)
        this.originals[index]?.apply(console, words)
      }
    }
  }

  note(what: unknown): void {
    const error = what instanceof Error ? [what.message, what.stack, what.cause] : what
    this.lines.push(`${String(what)} ${JSON.stringify(error)}`)
  }

  end(): void {
    for (const [index, method] of this.methods.entries()) console[method] = this.originals[index] ?? console[method]
  }
}
