import type { Outbound } from '@linli/core'
import { channelContract } from '@linli/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { consoleChannel } from './index.js'

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'sms',
  class: 'promotion',
  to: { kind: 'user', id: 'u1', traits: { phone: '+8613800000000' } },
  content: {
    template: 'fruit-trial',
    title: '草莓到货了',
    body: '今晚 8 点截单\n回复 1 参团',
    data: { page: '/item/42' },
  },
  source: { journey: 'new-fruit-trial', run: 'r1', step: 'push' },
}
const context = { attempt: 1, at: new Date(), signal: new AbortController().signal }

describe('the console channel keeps the contract', () => {
  const create = () => consoleChannel({ write: () => {} })
  for (const { title, run } of channelContract({ create, message, repeat: 'none' })) it(title, run)
})

describe('the console channel', () => {
  it('prints who gets what and why, and no address', async () => {
    const printed: string[] = []
    const channel = consoleChannel({ name: 'sms', write: (text) => printed.push(text) })

    await expect(channel.send(message, context)).resolves.toEqual({ status: 'accepted' })

    expect(printed).toEqual([
      [
        '[sms] promotion to user u1 (new-fruit-trial/push, template fruit-trial)',
        '  草莓到货了',
        '  今晚 8 点截单',
        '  回复 1 参团',
        '  page: /item/42',
        '',
      ].join('\n'),
    ])
  })

  it('lets no text steer the terminal', async () => {
    const printed: string[] = []
    const hostile = { ...message, content: { template: 't', body: '\u001b[2J\u0007\u009bhidden\rfake' } }
    await consoleChannel({ write: (text) => printed.push(text) }).send(hostile, context)
    expect(printed.join('')).toMatch(/^[^\p{Cc}]*\n[^\p{Cc}]*\n$/u)
  })

  it('writes to standard output', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    await consoleChannel().send(message, context)
    expect(write.mock.calls).toEqual([[expect.stringContaining('[console] promotion to user u1')]])
    write.mockRestore()
  })
})
