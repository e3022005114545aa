import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createEngine, definePack } from '@linli/core'
import { expect, it } from 'vitest'
import { createCollector } from './sources.js'

it('a mini-program and a web shop send to one collector, and a tag follows', async () => {
  const conditions = { fact: 'eventCount', operator: 'equal', value: 2, params: { event: 'product_viewed' } }
  const rules = definePack([{ kind: 'tag', id: 'looks', conditions }])
  const engine = await createEngine({ rules, channels: [], database: 'memory' })
  const server = createCollector(engine, 'key').listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const record = {
    type: 'track',
    event: 'ViewProduct',
    distinct_id: 'u1',
    login_id: 'u1',
    time: Date.now(),
    _track_id: 1,
  }
  const data = Buffer.from(JSON.stringify([{ ...record, properties: { product_id: 'v-101' } }])).toString('base64')
  await fetch(`${url}/sa?project=shop`, { method: 'POST', body: `data_list=${encodeURIComponent(data)}` })
  const viewed = { event: 'Product Viewed', userId: 'u1', messageId: 'm1', writeKey: 'key' }
  await fetch(`${url}/v1/track`, { method: 'POST', body: JSON.stringify(viewed) })

  const subject = await engine.subject('user', 'u1')
  expect([...(subject?.tags ?? [])]).toEqual(['looks'])
  server.close()
  await engine.close()
})
