import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Outbound } from '@linli/core'
import { channelContract } from '@linli/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { barkChannel } from './bark.js'

// A stand-in for bark-server: it answers as the test said, else it accepts.
const pushes: unknown[] = []
const script: ((response: ServerResponse) => void)[] = []
const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const answer = script.shift()
  if (answer) return answer(response)
  pushes.push(JSON.parse(body))
  response.end('{"code":200,"message":"success"}')
})
let url = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
const status = (code: number) => script.push((response) => void response.writeHead(code).end())

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'bark',
  class: 'service',
  to: { kind: 'leader', id: 'l1', traits: { barkKey: 'ynJ5Ft4atkMkWeo2PAvFhF' } },
  content: {
    template: 'unpicked',
    title: '3 单未提货',
    body: '王小明等 3 人还没来取',
    data: { url: 'https://shop.example.com/l1' },
  },
  source: { journey: 'pickup', run: 'r1', step: 'tell-leader' },
}
const context = { attempt: 1, at: new Date(), signal: new AbortController().signal }

describe('the bark channel keeps the contract', () => {
  const cases = channelContract({
    create: () => barkChannel({ server: url }),
    message,
    repeat: 'none',
    provider: {
      failNext: () => void script.push((response) => response.destroy()),
      refuseNext: () => void status(400),
      deferNext: () => void status(429),
      hangNext: () => void script.push(() => {}),
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe('the bark channel', () => {
  it('pushes title, body and link to the device', async () => {
    await barkChannel({ server: url }).send(message, context)
    expect(pushes.at(-1)).toEqual({
      device_key: 'ynJ5Ft4atkMkWeo2PAvFhF',
      title: '3 单未提货',
      body: '王小明等 3 人还没来取',
      url: 'https://shop.example.com/l1',
    })
  })

  it('refuses a recipient without a device', async () => {
    const result = await barkChannel().send({ ...message, to: { kind: 'leader', id: 'l1', traits: {} } }, context)
    expect(result).toMatchObject({ status: 'refused', reason: 'recipient' })
  })

  it('defers when it cannot connect: nothing was sent', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const result = await barkChannel({ server: `http://127.0.0.1:${port}` }).send(message, context)
    expect(result).toMatchObject({ status: 'deferred' })
  })

  it('does not guess after HTTP 500: APNs may have the push', async () => {
    status(500)
    const sending = barkChannel({ server: url }).send(message, context)
    await expect(sending).rejects.toMatchObject({ code: 'bark.outcome_unknown' })
  })
})
