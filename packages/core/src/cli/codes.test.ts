import { writeFile } from 'node:fs/promises'
import { definePack } from '@linli/rules'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { type FreshDatabase, freshDatabase } from '../../testing/database.js'
import { scratchFolder } from '../../testing/scratch.js'
import { createEngine } from '../engine.js'

const scratch = scratchFolder()
const postgresUrl = inject('postgresUrl')
const rules = definePack([{ kind: 'offer', id: 'trial', codes: 'given' }])

let database: FreshDatabase

beforeEach(async () => {
  database = await freshDatabase(postgresUrl)
  await (await createEngine({ rules, database: database.address })).close()
})

afterEach(() => database.drop())

it('loads codes of a file, one a line, and says how many are left, but never a code', async () => {
  const file = scratch.path('codes.txt')
  await writeFile(file, '\uFEFFSPRING-1\r\n\r\n  SPRING-2\r\nSPRING-1\r\n')
  const add = () => linli('codes', 'add', 'trial', file, '--db', database.address)

  expect(await add()).toEqual({
    code: 0,
    stdout: '2 codes added to trial, 1 were there already; 2 are left.\n',
    stderr: '',
  })
  expect(await add()).toMatchObject({ stdout: '0 codes added to trial, 3 were there already; 2 are left.\n' })
  const { stdout } = await linli('codes', 'list', '--db', database.address, '--json')
  expect(JSON.parse(stdout)).toEqual({ trial: { issued: 0, total: 2, codes: { loaded: 2, left: 2 } } })
  const listed = await linli('codes', 'list', '--db', database.address)
  expect(listed.stdout).toMatch(/^trial +0 +2 +2 +2$/m)
  expect(listed.stdout).not.toContain('SPRING')
})

it('refuses what is no code, an unknown offer, and a file that is not there', async () => {
  const file = scratch.path('codes.txt')
  await writeFile(file, 'SPRING-1\nnot a code\n')

  const refused = await linli('codes', 'add', 'trial', file, '--db', database.address)
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('(code.invalid)') })
  expect(refused.stderr).not.toContain('not a code')
  expect(await linli('codes', 'add', 'trail', file, '--db', database.address)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('(rule.unknown)'),
  })
  expect(await linli('codes', 'add', 'trial', scratch.path('none'), '--db', database.address)).toMatchObject({
    code: 1,
  })
})
