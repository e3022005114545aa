import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { definePack } from '@linli/rules'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { journey, wait } from '../../testing/rules.js'
import { createEngine } from '../engine.js'

let folder: string

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'linli-')), 'data')
  const engine = await createEngine({ rules: definePack([journey('remind', [wait('later', '1d')])]), database: folder })
  await engine.ingest([{ type: 'track', event: 'cart', userId: 'wang', messageId: 'm-1' }])
  await engine.close()
})

afterEach(() => rm(join(folder, '..'), { recursive: true }))

it('pauses, stops and resumes what runs on a database, and shows who did so', async () => {
  const paused = await linli('pause', '--db', folder, '--journey', 'remind', '--by', '小李', '--reason', '文案有误')
  expect(paused).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^paused journey:remind, .*Z by 小李: 文案有误\n$/),
  })
  await linli('stop', '--db', folder, '--everything')
  expect((await linli('resume', '--db', folder, '--journey', 'remind')).stdout).toMatch(/^stopped everything, .*\n$/)

  const { stdout } = await linli('halts', '--db', folder)
  expect(stdout.replaceAll(/, \d{4}-[^ \n]*Z/g, '').split('\n')).toEqual([
    'stopped everything',
    'What was done, the latest first:',
    '  resume journey:remind',
    '  stop everything',
    '  pause journey:remind by 小李: 文案有误',
    '',
  ])
  const { inForce, calls } = JSON.parse((await linli('halts', '--db', folder, '--json')).stdout)
  expect([inForce, calls.length]).toMatchObject([[{ target: 'everything', state: 'stopped' }], 3])
}, 60_000)

it('lists runs, ends one, and counts what became of them', async () => {
  const listed = await linli('runs', '--db', folder, '--journey', 'remind')
  expect(listed.stdout).toMatch(/^[\w-]{16} {2}user:wang {2}entered .*Z, at later since .*Z until .*Z\n$/)
  const [run = ''] = listed.stdout.split(' ')

  expect(await linli('cancel', '--db', folder, '--run', run)).toMatchObject({ code: 0 })

  expect((await linli('runs', '--db', folder, '--journey', 'remind')).stdout).toBe('No run is under way.\n')
  const { stdout } = await linli('counts', '--db', folder, '--journey', 'remind')
  expect(stdout.split('\n').map((line) => line.split(/ +/).join(' '))).toEqual([
    ...['runs', 'entered 1', '', 'steps', 'later 1', '', 'ended', 'cancelled 1', ''],
  ])
  const json = JSON.parse((await linli('counts', '--db', folder, '--journey', 'remind', '--json')).stdout)
  expect(json).toMatchObject({ entered: 1, exited: { cancelled: 1 } })
}, 60_000)

it('refuses a journey that is not there, and to pause nothing in particular', async () => {
  const unknown = await linli('pause', '--db', folder, '--journey', 'remnd')
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('Did you mean "remind"?') })
  expect(await linli('pause', '--db', folder)).toMatchObject({ code: 1, stderr: expect.stringContaining('Say what') })
  expect(await linli('pause', '--journey', 'remind')).toMatchObject({ code: 1 })
}, 60_000)
