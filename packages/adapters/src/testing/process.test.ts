import type { Outbound } from '@linli/core'
import { afterEach, describe, expect, it } from 'vitest'
import { FakeProcess, runFake } from '../../testing/fake-process.js'
import { WecomCorp, wecomAppChannel } from '../channels/wecom/index.js'

interface Wecom {
  readonly url: string
  readonly corpId: string
  readonly secret: string
}

const running: FakeProcess<Wecom>[] = []
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
})

async function wecom(...args: readonly string[]): Promise<FakeProcess<Wecom>> {
  const fake = await FakeProcess.start<Wecom>('wecom', ...args)
  running.push(fake)
  return fake
}

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'wecom-app',
  class: 'service',
  to: { kind: 'leader', id: 'l1', traits: { wecomUserId: 'wang' } },
  content: { template: 't', body: '草莓到了' },
  source: { journey: 'j', run: 'r', step: 's' },
}
const context = () => ({ attempt: 1, at: new Date(), signal: new AbortController().signal })

describe('a stand-in in a process of its own', () => {
  it('is called by the credentials that it says, told what befalls requests, and asked what it was asked', async () => {
    const fake = await wecom()
    const { url, corpId, secret } = fake.about
    const channel = wecomAppChannel({ corp: new WecomCorp({ corpId, secret, baseUrl: url }), agentId: 1 })

    await expect(channel.send(message, context())).resolves.toMatchObject({ status: 'accepted' })
    await fake.next(url, 48002, '/cgi-bin/message/send')
    await expect(channel.send(message, context())).resolves.toMatchObject({ reason: 'configuration' })
    await fake.next(url, 'take and reset', '/cgi-bin/message/send')
    await expect(channel.send(message, context())).rejects.toMatchObject({ code: 'wecom.outcome_unknown' })

    const sent = (await fake.requests(url)).filter(({ path }) => path === '/cgi-bin/message/send')
    expect(sent.map(({ body }) => (JSON.parse(body) as { touser: string }).touser)).toEqual(['wang', 'wang', 'wang'])
  })

  it('ends with the signal', async () => {
    const fake = await FakeProcess.start<Wecom>('wecom')
    expect(await fake.stop()).toBe(0)
    await expect(fetch(fake.about.url)).rejects.toThrow()
  })

  it.each([[[]], [['shop']], [['toString']], [['wecom', 'smtp']], [['wecom', '--port', 'x']]])(
    'says how it is used, asked %j',
    async (args) => {
      const { said, code } = await runFake(...args)
      expect(code).toBe(2)
      expect(said).toContain('usage: linli-fake <provider>')
      expect(said).toContain('wecom, wechat-miniprogram, wechat-pay, aliyun-sms, tencent-sms, smtp, model')
    },
  )
})
