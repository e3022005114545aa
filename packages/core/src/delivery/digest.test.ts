import { expect, it } from 'vitest'
import { journey, send, template } from '../../testing/rules.js'
import { NOON, track, worldOf } from '../../testing/shop.js'

const TEXT = '{% for one in digest.events %}{{ one.name }}，{% endfor %}共 {{ digest.count }} 样到货'

it('tells of all that came in one message, once its time is over', async () => {
  const steps = [{ id: 'collect', digest: { for: '2h' } }, send('push', { class: 'service' })]
  const world = await worldOf([template('hello', TEXT), journey('arrived', steps)])
  await world.ingest(track('cart', 'u1', { name: '苹果' }))
  await world.advanceTo('2026-03-01T13:00:00+08:00')
  await world.ingest(track('cart', 'u1', { name: '梨' }), track('cart', 'u1', { name: '桃' }))
  expect(world.sent).toEqual([])

  await world.advanceTo('2026-03-01T14:00:00+08:00')

  expect(world.sent.map(({ content }) => content.body)).toEqual(['苹果，梨，桃，共 3 样到货'])
  expect(Date.parse(NOON) + 7_200_000).toBe(world.clock.now())
  await world.close()
})
