import { loadPack } from '@linli/core'
import { createWorld } from '@linli/core/testing'
import { expect, it } from 'vitest'
import { publishFolder } from './publish.js'

const RULES = `${import.meta.dirname}/rules`

it('puts the rules of a folder in force while the engine runs, and tells how subjects follow', async () => {
  const world = await createWorld({ rules: { ...(await loadPack(RULES)), tags: [] }, now: '2026-03-02T12:00:00+08:00' })
  const orders = Array.from({ length: 10 }, (_, index) => ({
    event: 'order_paid',
    messageId: `m${index}`,
    userId: 'u1',
  }))
  await world.ingest(...orders)
  const told: string[] = []

  const { version } = await publishFolder(world.engine, RULES, (line) => told.push(line))
  await world.engine.settle()

  expect(version).toBe(2)
  expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])
  expect(told.at(-1)).toBe('1 of 1 subjects')
  await world.close()
})
