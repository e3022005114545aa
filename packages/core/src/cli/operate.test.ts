import { fileURLToPath } from 'node:url'
import { definePack } from '@linli/rules'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type CommandResult, linli } from '../../testing/command-line.js'
import { type FreshDatabase, freshDatabase } from '../../testing/database.js'
import { journey, wait } from '../../testing/rules.js'
import { createEngine } from '../engine.js'
import { openPostgres } from '../storage/sql/postgres.js'

const postgresUrl = inject('postgresUrl')
const REMIND = journey('remind', [wait('later', '1d')])

let database: FreshDatabase

beforeEach(async () => {
  database = await freshDatabase(postgresUrl)
})

afterEach(() => database.drop())

/** An engine works on the database: wang has put something into the cart. */
async function wangShops(): Promise<void> {
  const engine = await createEngine({ rules: definePack([REMIND]), database: database.address })
  await engine.ingest([{ type: 'track', event: 'cart', userId: 'wang', messageId: 'm-1' }])
  await engine.close()
}

/** A command about that database. */
function onDatabase(command: string, ...args: readonly string[]): Promise<CommandResult> {
  return linli(command, '--db', database.address, ...args)
}

it('pauses, stops and resumes what runs on a database, and shows who did so', async () => {
  await wangShops()
  const paused = await onDatabase('pause', '--journey', 'remind', '--by', '小李', '--reason', '文案有误')
  expect(paused).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^paused journey:remind, .*Z by 小李: 文案有误\n$/),
  })
  await onDatabase('stop', '--everything')
  expect((await onDatabase('resume', '--journey', 'remind')).stdout).toMatch(/^stopped everything, .*\n$/)

  const { stdout } = await onDatabase('halts')
  expect(stdout.replaceAll(/, \d{4}-[^ \n]*Z/g, '').split('\n')).toEqual([
    'stopped everything',
    'What was done, the latest first:',
    '  resume journey:remind',
    '  stop everything',
    '  pause journey:remind by 小李: 文案有误',
    '',
  ])
  const { inForce, calls } = JSON.parse((await onDatabase('halts', '--json')).stdout)
  expect([inForce, calls.length]).toMatchObject([[{ target: 'everything', state: 'stopped' }], 3])
})

it('lists runs, ends one, and counts what became of them', async () => {
  await wangShops()
  const listed = await onDatabase('runs', '--journey', 'remind')
  expect(listed.stdout).toMatch(/^[\w-]{16} {2}user:wang {2}entered .*Z, at later since .*Z until .*Z\n$/)
  const [run = ''] = listed.stdout.split(' ')

  expect(await onDatabase('cancel', '--run', run)).toMatchObject({ code: 0 })

  expect((await onDatabase('runs', '--journey', 'remind')).stdout).toBe('No run is under way.\n')
  const { stdout } = await onDatabase('counts', '--journey', 'remind')
  expect(stdout.split('\n').map((line) => line.split(/ +/).join(' '))).toEqual([
    ...['runs', 'entered 1', '', 'steps', 'later 1', '', 'ended', 'cancelled 1', ''],
  ])
  const json = JSON.parse((await onDatabase('counts', '--journey', 'remind', '--json')).stdout)
  expect(json).toMatchObject({ entered: 1, exited: { cancelled: 1 } })
})

it('refuses a journey that is not there, and to pause nothing in particular', async () => {
  await wangShops()
  const unknown = await onDatabase('pause', '--journey', 'remnd')
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('Did you mean "remind"?') })
  expect(await onDatabase('pause')).toMatchObject({ code: 1, stderr: expect.stringContaining('Say what') })
  expect(await linli('pause', '--journey', 'remind')).toMatchObject({ code: 1 })
})

describe.skipIf(postgresUrl === undefined)('a database that is not as the commands need it', () => {
  const PACK = fileURLToPath(new URL('../../testing/packs/grocery', import.meta.url))
  const COMMANDS: Readonly<Record<string, readonly string[]>> = {
    halts: [],
    runs: ['--journey', 'remind'],
    counts: ['--journey', 'remind'],
    cancel: ['--run', 'r1'],
    pause: ['--everything'],
    export: ['user', 'wang'],
    explain: ['--rules', PACK, '--user', 'wang', '--rule', 'lapsed'],
    simulate: ['--rules', PACK],
    diff: ['--old', PACK, '--new', PACK],
  }

  it.each(Object.entries(COMMANDS))('is refused by linli %s where no engine was started on it', async (name, flags) => {
    expect(await onDatabase(name, ...flags)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^linli: The database has no tables of linli .*\(database\.unprepared\)\n$/),
    })
  })

  it('is left alone where its tables are of another release', async () => {
    await wangShops()
    const db = openPostgres(database.address, {})
    const migrations = sql.id('linli', 'migration')

    await sql`insert into ${migrations} (name, timestamp) values ('999-later', '')`.execute(db)
    expect((await onDatabase('halts')).stderr).toMatch(/tables are those of a newer release.*\(database\.unprepared\)/)

    await sql`delete from ${migrations} where name > '008'`.execute(db)
    expect((await onDatabase('halts')).stderr).toMatch(/tables are those of an older release.*\(database\.unprepared\)/)
    await db.destroy()
  })
})
