import type { IncomingEvent } from '@linli/core'
import { createWorld } from '@linli/core/testing'
import { expect, it } from 'vitest'
import { importHistory } from './import.js'

async function* orders(count: number): AsyncGenerator<IncomingEvent> {
  for (let day = 1; day <= count; day++) {
    const timestamp = `2025-06-${String(day).padStart(2, '0')}T12:00:00+08:00`
    yield { event: 'order_paid', messageId: `order-${day}`, userId: 'u1', timestamp }
  }
}

it('takes in the past, as often as it is run, and sends nothing', async () => {
  const world = await createWorld({ rules: `${import.meta.dirname}/rules`, now: '2026-03-02T12:00:00+08:00' })

  const accepted = [await importHistory(world.engine, orders(10)), await importHistory(world.engine, orders(12))]
  await world.engine.settle()

  expect(accepted).toEqual([10, 2])
  expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['regular'])
  expect(world.sent).toEqual([])
  await world.close()
})
