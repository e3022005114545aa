import { createWorld } from '@linli/core/testing'
import { expect, it } from 'vitest'
import { sayWeAreSorry } from './enter.js'

it('customer service has somebody enter a journey, once for each case', async () => {
  const rules = `${import.meta.dirname}/../../docs/examples`
  const world = await createWorld({ rules, now: '2026-03-02T12:00:00+08:00' })

  await sayWeAreSorry(world.engine, 'u1', 'case-7', '番茄')
  await sayWeAreSorry(world.engine, 'u1', 'case-7', '番茄')
  await sayWeAreSorry(world.engine, 'u1', 'case-8', '苹果')
  await world.advanceTo('2026-03-02T14:00:00+08:00')

  expect(world.sent.map(({ content }) => content.body).sort()).toEqual([
    '番茄没让您满意，实在抱歉，款已退回。',
    '苹果没让您满意，实在抱歉，款已退回。',
  ])
  await world.close()
})
