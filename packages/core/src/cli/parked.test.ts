import { definePack } from '@linli/rules'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { type FreshDatabase, freshDatabase } from '../../testing/database.js'
import { journey, send, template } from '../../testing/rules.js'
import { createEngine } from '../engine.js'
import { memoryChannel } from '../testing/memory-channel.js'
import { memoryIssuer } from '../testing/memory-issuer.js'

let database: FreshDatabase

beforeEach(async () => {
  database = await freshDatabase(inject('postgresUrl'))
})

afterEach(() => database.drop())

it('lists what is parked, and resolves it once', async () => {
  const sms = memoryChannel({ name: 'sms', repeat: { kind: 'none' }, outcome: 'lost_before' })
  const rules = definePack([template('hello'), journey('remind', [send('push')])])
  const engine = await createEngine({ rules, channels: [sms], database: database.address })
  await engine.ingest([{ type: 'track', event: 'cart', userId: 'wang', messageId: 'm-1' }])
  await engine.settle()
  await engine.close()
  const onDatabase = (command: string, ...args: readonly string[]) => linli(command, ...args, '--db', database.address)

  const { stdout } = await onDatabase('parked')
  expect(stdout).toMatch(/^\w\S+ {2}user:wang {2}remind\/push by sms, called .*Z, parked .*Z: the outcome is unknown/)
  const [key = ''] = stdout.split(' ')
  const resolve = ['resolve', key, '--as', 'not-sent', '--by', '小李', '--reason', '平台没有记录'] as const
  expect(await onDatabase(...resolve)).toMatchObject({ code: 0 })

  expect((await onDatabase('parked')).stdout).toBe('Nothing is parked.\n')
  expect(await onDatabase('parked', '--json')).toMatchObject({ stdout: '[]\n' })
  expect(await onDatabase(...resolve)).toMatchObject({ code: 1, stderr: expect.stringContaining('delivery.settled') })
})

it('lists coupons, and takes the code of one that was issued', async () => {
  const pay = memoryIssuer({ name: 'pay', repeat: { kind: 'none' }, outcome: 'lost_after' })
  const rules = definePack([
    { kind: 'offer', id: 'trial', issuer: 'pay', total: 1 },
    journey('give', [{ id: 'coupon', issue: { offer: 'trial' } }]),
  ])
  const start = () => createEngine({ rules, issuers: [pay], database: database.address })
  const engine = await start()
  await engine.ingest([{ type: 'track', event: 'cart', userId: 'wang', messageId: 'm-1' }])
  await engine.settle()
  await engine.close()
  const onDatabase = (command: string, ...args: readonly string[]) => linli(command, ...args, '--db', database.address)

  const { stdout } = await onDatabase('parked')
  expect(stdout).toMatch(
    /^\w\S+ {2}user:wang {2}give\/coupon coupon of trial by pay, called .*Z, parked .*Z: the outcome/,
  )
  const [key = ''] = stdout.split(' ')
  const resolve = ['resolve', key, '--as', 'sent', '--by', '小李', '--reason', '平台有记录'] as const
  expect(await onDatabase(...resolve)).toMatchObject({ code: 1, stderr: expect.stringContaining('code.invalid') })
  const said = ['--code', 'WX-1', '--expires', '2099-01-01T00:00:00Z']
  expect(await onDatabase(...resolve, ...said)).toMatchObject({ code: 0 })

  const later = await start()
  expect(await later.coupon('WX-1')).toMatchObject({ subject: ['user', 'wang'], expiresAt: new Date('2099-01-01') })
  await later.close()
})
