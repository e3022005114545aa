import { definePack } from '@linli/rules'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { type FreshDatabase, freshDatabase } from '../../testing/database.js'
import { journey, send, template } from '../../testing/rules.js'
import { createEngine } from '../engine.js'
import { memoryChannel } from '../testing/memory-channel.js'

let database: FreshDatabase

beforeEach(async () => {
  database = await freshDatabase(inject('postgresUrl'))
})

afterEach(() => database.drop())

/** A shop in which two people of one community, and one of none, got a message. */
async function sentWith(...policies: readonly unknown[]): Promise<void> {
  const rules = definePack([template('hello'), journey('remind', [send('push')]), ...policies])
  const engine = await createEngine({ rules, channels: [memoryChannel({ name: 'sms' })], database: database.address })
  const joins = ['u1', 'u2'].map((userId) => ({
    type: 'group' as const,
    userId,
    groupId: 'c1',
    messageId: `join-${userId}`,
  }))
  await engine.ingest(joins)
  await engine.settle()
  const carts = ['u1', 'u2', 'u3'].map((userId) => ({
    type: 'track' as const,
    event: 'cart',
    userId,
    messageId: userId,
  }))
  await engine.ingest(carts)
  await engine.settle()
  await engine.close()
}

it('shows how much of each budget is used, and the mix of each community', async () => {
  await sentWith(
    { kind: 'policy', id: 'purse', budget: { money: 200, costs: { sms: 0.05 } } },
    { kind: 'policy', id: 'each', budget: { messages: 5, within: '7d', of: 'community' } },
    { kind: 'policy', id: 'mix', mix: { share: 1, within: '7d', of: 'community' } },
  )
  const onDatabase = (...args: readonly string[]) => linli('budgets', '--db', database.address, ...args)

  const { code, stdout } = await onDatabase()
  expect(code).toBe(0)
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['Budgets', 'used', 'of', 'in'],
    ['purse', '0.15', '200', 'money', 'all'],
    ['each: c1', '2', '5', 'messages', '7d'],
    [''],
    ['Mixes of communities', 'alike', 'all', 'at most', 'in'],
    ['mix: c1', '2', '2', '100.0%', '7d'],
  ])

  expect(JSON.parse((await onDatabase('--json')).stdout)).toEqual({
    budgets: [
      { policy: 'purse', of: 'money', used: 0.15, max: 200 },
      { policy: 'each', community: 'c1', of: 'messages', used: 2, max: 5, window: '7d' },
    ],
    mixes: [{ policy: 'mix', community: 'c1', alike: 2, all: 2, share: 1, window: '7d' }],
  })
})

it('says so where there is none, and knows a budget of which nothing is used', async () => {
  await sentWith({ kind: 'policy', id: 'purse', budget: { money: 1, costs: { mail: 1 }, during: 'today' } })
  const { stdout } = await linli('budgets', '--db', database.address)
  expect(stdout).toMatch(/^purse +0 +1 +money +today$/m)

  await database.drop()
  database = await freshDatabase(inject('postgresUrl'))
  await sentWith()
  expect((await linli('budgets', '--db', database.address)).stdout).toBe(
    'The rules have no budget, and no mix of communities.\n',
  )
})
