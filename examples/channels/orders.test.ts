import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createEngine, definePack } from '@linli/core'
import { expect, it } from 'vitest'
import { createOrderInlet } from './orders.js'

it('an order that is paid and posted twice counts once, in yuan, and in its community', async () => {
  const conditions = {
    fact: 'eventSum',
    operator: 'equal',
    value: 19.9,
    params: { event: 'order_paid', property: 'total' },
  }
  const rules = definePack([{ kind: 'tag', id: 'spent', conditions }])
  const engine = await createEngine({ rules, channels: [], database: 'memory', identifiers: ['openid'] })
  const server = createOrderInlet(engine, 'key').listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const body = JSON.stringify({
    event: 'PayOrder',
    time: Date.now(),
    buyer: { id: 'u1', openid: 'op-1' },
    leader: { group: 'g-3' },
    order: { no: 'o-1', amount: 1990, items: [{ sku: 'v-101', type: 'vegetable', price: 995 }] },
  })
  const signature = createHmac('sha256', 'key').update(body).digest('hex')
  for (let times = 0; times < 2; times++) {
    const response = await fetch(url, { method: 'POST', body, headers: { 'x-signature': signature } })
    expect(await response.json()).toMatchObject({ accepted: times === 0 ? 1 : 0, duplicates: times })
  }
  expect((await fetch(url, { method: 'POST', body, headers: { 'x-signature': 'no' } })).status).toBe(401)
  const subject = await engine.subject('user', 'u1')
  expect([...(subject?.tags ?? [])]).toEqual(['spent'])
  server.close()
  await engine.close()
})
