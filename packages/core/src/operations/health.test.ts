import { expect, it } from 'vitest'
import { journey, send, template } from '../../testing/rules.js'
import { shopOf, track } from '../../testing/shop.js'
import { memoryStore } from '../storage/memory/store.js'
import { delegate } from '../testing/delegate.js'
import { memoryChannel } from '../testing/memory-channel.js'

const RULES = [template('hello'), journey('remind', [send('push')])]

it('an engine with nothing to do is well', async () => {
  const engine = await shopOf(RULES).start({ channels: [memoryChannel({ name: 'sms' })] })
  expect(await engine.health()).toMatchObject({ ok: true, database: { ok: true }, lateMs: 0, due: [] })
  expect(await engine.health()).not.toHaveProperty('redis')
})

it('says what has been due for how long; a minute late, an engine is not well', async () => {
  const shop = shopOf(RULES)
  const engine = await shop.start({ channels: [memoryChannel({ name: 'sms' })] })
  await engine.ingest([track('cart', 'u1')])
  shop.clock.moveTo(shop.clock.now() + 59_999)
  expect(await engine.health()).toMatchObject({ ok: true, lateMs: 59_999 })
  shop.clock.moveTo(shop.clock.now() + 1)
  expect(await engine.health()).toMatchObject({ ok: false, due: [{ line: 'delivery:sms', lateMs: 60_000 }] })
  await engine.settle()
  expect(await engine.health()).toMatchObject({ ok: true, due: [] })
})

it('counts what somebody has to look at', async () => {
  const sms = memoryChannel({ name: 'sms', repeat: { kind: 'none' } })
  sms.respond('lost_after')
  const engine = await shopOf(RULES).start({ channels: [sms] })
  await engine.ingest([track('cart', 'u1')])
  await engine.settle()
  expect(await engine.health()).toMatchObject({ ok: true, attention: { parked: 1, unknown: 0 } })
})

it('says that the database does not answer', async () => {
  const store = memoryStore()
  let isGone = false
  const gone = delegate(store, {
    transaction: (work) => (isGone ? Promise.reject(new Error('gone')) : store.transaction(work)),
  })
  const engine = await shopOf(RULES, { store: gone }).start({ channels: [memoryChannel({ name: 'sms' })] })
  isGone = true
  expect(await engine.health()).toMatchObject({ ok: false, database: { ok: false } })
})
