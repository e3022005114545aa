import { definePack } from '@linli/rules'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { type FreshDatabase, freshDatabase } from '../../testing/database.js'
import { journey, send, template } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'
import { createEngine } from '../engine.js'
import { memoryChannel } from '../testing/memory-channel.js'

const RULES = [template('hello'), journey('remind', [send('push')])]

const scratch = scratchFolder()
let database: FreshDatabase

beforeEach(async () => {
  database = await freshDatabase(inject('postgresUrl'))
})

afterEach(() => database.drop())

it('takes receipts in from a file, and says which lines were refused and why', async () => {
  const channels = [memoryChannel({ name: 'sms' })]
  const engine = await createEngine({ rules: definePack(RULES), channels, database: database.address })
  await engine.ingest([{ type: 'track', event: 'cart', userId: 'wang', messageId: 'm-1' }])
  await engine.settle()
  await engine.close()
  const opened = { channel: 'sms', providerId: 'memory-1', says: 'opened' }
  const file = scratch.events('receipts.ndjson', opened, '', '{ no JSON', { ...opened, providerId: 'memory-2' })

  const first = await linli('receive', '--db', database.address, '--file', file)
  const second = await linli('receive', '--db', database.address, '--file', file, '--json')

  expect(first).toMatchObject({ code: 1, stderr: '' })
  expect(first.stdout.replaceAll(/ +/g, ' ').split('\n')).toEqual([
    'receipts',
    'accepted 1',
    'duplicates 0',
    'rejected 2',
    ' line 3: receipt.shape: A receipt should be a JSON object.',
    expect.stringMatching(/^ line 4: receipt\.unknown: /),
    '',
  ])
  expect(JSON.parse(second.stdout)).toMatchObject({
    accepted: 0,
    duplicates: 1,
    rejected: 2,
    refused: [{ line: 3, code: 'receipt.shape' }, { line: 4 }],
  })
  const { stdout } = await linli('counts', '--db', database.address, '--journey', 'remind')
  expect(stdout).toMatch(/opened +1\n/)
})
