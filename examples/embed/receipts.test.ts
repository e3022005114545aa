import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { definePack } from '@linli/core'
import { createWorld, type World } from '@linli/core/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createReceiptServer } from './receipts.js'

const RULES = definePack([
  { kind: 'template', id: 'hello', body: '草莓到货了' },
  {
    kind: 'journey',
    id: 'launch',
    entry: { on: 'event', event: 'product_launched' },
    steps: [{ id: 'push', send: { template: 'hello', channel: 'sms', class: 'service' } }],
  },
])

describe('reports of an SMS gateway', () => {
  let world: World
  let server: Server

  beforeEach(async () => {
    world = await createWorld({ rules: RULES, now: '2026-03-01T12:00:00+08:00' })
    await world.ingest({ event: 'product_launched', messageId: 'm1', userId: 'u1' })
    server = createReceiptServer(world.engine).listen(0)
    await once(server, 'listening')
  })

  afterEach(async () => {
    vi.restoreAllMocks()
    server.close()
    await world.close()
  })

  function post(body: string): Promise<Response> {
    return fetch(`http://localhost:${(server.address() as AddressInfo).port}`, { method: 'POST', body })
  }

  it('become receipts: whether the message arrived, and when', async () => {
    const told = vi.spyOn(console, 'warn').mockReturnValue()
    const out_id = world.sent[0]?.deliveryKey
    const report = { success: false, report_time: '2026-03-01 12:00:01', err_code: 'MK:0001' }

    const { status } = await post(
      JSON.stringify([
        { ...report, out_id },
        { ...report, out_id: 'stranger' },
      ]),
    )

    expect(status).toBe(200)
    expect(await world.engine.deliveries()).toMatchObject([{ state: 'failed', reason: 'MK:0001' }])
    expect(told.mock.calls).toEqual([[expect.stringContaining('receipt.unknown')]])
  })

  it('are asked for again where they cannot be taken in', async () => {
    vi.spyOn(console, 'error').mockReturnValue()

    expect((await post('no JSON')).status).toBe(503)
  })
})
