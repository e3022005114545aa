import { readFile } from 'node:fs/promises'
import { definePack } from '@linli/rules'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { type FreshDatabase, freshDatabase } from '../../testing/database.js'
import { journey, wait } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'
import { createEngine } from '../engine.js'

const scratch = scratchFolder()
const postgresUrl = inject('postgresUrl')
const rules = definePack([journey('remind', [wait('later', '1d')])])
const event = { event: 'cart', userId: 'wang', messageId: 'm-1' }

let database: FreshDatabase

beforeEach(async () => {
  database = await freshDatabase(postgresUrl)
  const engine = await createEngine({ rules, database: database.address })
  await engine.ingest([event])
  await engine.close()
})

afterEach(() => database.drop())

it('exports a person to a file or to the standard output', async () => {
  const file = scratch.path('wang.json')
  expect(await linli('export', '--db', database.address, 'user', 'wang', '--out', file)).toMatchObject({
    code: 0,
    stdout: '',
  })
  const { stdout } = await linli('export', '--db', database.address, 'user', 'wang')

  const [written, printed] = [JSON.parse(await readFile(file, 'utf8')), JSON.parse(stdout)]
  expect(written).toMatchObject({ format: 'linli.person/1', id: 'wang', events: [{ messageId: 'm-1' }] })
  expect({ ...printed, exportedAt: '' }).toEqual({ ...written, exportedAt: '' })
  expect(await linli('export', '--db', database.address, 'user', 'wong')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('(subject.unknown)'),
  })
})

it('erases a person, and lets them in again', async () => {
  const erased = await linli('erase', '--db', database.address, 'user', 'wang', '--yes')
  expect(erased.stdout).toMatch(
    /^Erased, from now on erased:[\w-]{22}: 1 names, 1 events, \d decisions, 0 deliveries, 0 coupons\.\n$/,
  )
  expect(
    JSON.parse((await linli('erase', '--db', database.address, 'user', 'wang', '--yes', '--json')).stdout),
  ).toMatchObject({ events: 0 })
  const refused = await createEngine({ rules, database: database.address })
  expect((await refused.ingest([event])).results).toMatchObject([{ code: 'person.erased' }])
  await refused.close()

  expect((await linli('readmit', '--db', database.address, 'user', 'wang')).stdout).toContain('taken in again')
  expect((await linli('readmit', '--db', database.address, 'user', 'wang')).stdout).toContain('Nobody was erased')
  const engine = await createEngine({ rules, database: database.address })
  expect(await engine.ingest([event])).toMatchObject({ accepted: 1 })
  await engine.close()
})

it('asks before it erases, and erases nothing where nobody can answer', async () => {
  expect(await linli('erase', '--db', database.address, 'user', 'wang')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--yes'),
  })
  expect(await linli('erase', '--db', database.address, 'group', 'wang', '--yes')).toMatchObject({ code: 1 })
  expect((await linli('export', '--db', database.address, 'user', 'wang')).code).toBe(0)
})
