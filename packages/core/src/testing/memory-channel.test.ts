import { describe, expect, it } from 'vitest'
import type { Outbound, RepeatSafety, SendContext } from '../ports/channel.js'
import { channelContract } from './channel-contract.js'
import { type MemoryChannel, memoryChannel } from './memory-channel.js'

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'memory',
  class: 'service',
  to: { kind: 'user', id: 'u1', traits: { phone: '+8613800000000' } },
  content: { template: 'arrived', title: '到货提醒', body: '您的草莓到了，请来取', data: { page: '/orders/42' } },
  source: { journey: 'pickup', run: 'r1', step: 'tell' },
}
const at = new Date('2026-03-01T10:00:00Z')
const call = (context: Partial<SendContext> = {}): SendContext => ({
  attempt: 1,
  at,
  signal: new AbortController().signal,
  ...context,
})

describe.each<RepeatSafety>([{ kind: 'idempotent', windowMs: 60_000 }, { kind: 'queryable' }, { kind: 'none' }])(
  'a memory channel that is $kind keeps the contract',
  (repeat) => {
    let channel: MemoryChannel
    const cases = channelContract({
      create() {
        channel = memoryChannel({ repeat })
        return channel
      },
      message,
      repeat: repeat.kind,
      provider: {
        accepted: () => channel.sent.map(({ deliveryKey }) => deliveryKey),
        failNext: (when) => channel.respond(when === 'before' ? 'lost_before' : 'lost_after'),
        refuseNext: () => channel.respond({ status: 'refused', reason: 'recipient' }),
        deferNext: () => channel.respond({ status: 'deferred', retryAt: new Date(Date.now() + 1_000) }),
        hangNext: () => channel.respond('hang'),
      },
    })
    for (const { title, run } of cases) it(title, run)
  },
)

describe('the memory channel', () => {
  it('keeps what its provider took, in order', async () => {
    const channel = memoryChannel()
    await channel.send(message, call())
    await channel.send({ ...message, deliveryKey: 'd-2' }, call())
    expect(channel.sent.map(({ deliveryKey }) => deliveryKey)).toEqual(['d-1', 'd-2'])
  })

  it('answers each call as the test said, then as usual', async () => {
    const channel = memoryChannel({ outcome: { status: 'refused', reason: 'other' } })
    channel.respond({ status: 'awaiting_person' }, { status: 'accepted', providerId: 'p9' })
    await expect(channel.send(message, call())).resolves.toEqual({ status: 'awaiting_person', providerId: 'memory-1' })
    await expect(channel.send({ ...message, deliveryKey: 'd-2' }, call())).resolves.toMatchObject({ providerId: 'p9' })
    await expect(channel.send(message, call())).resolves.toEqual({ status: 'refused', reason: 'other' })
  })

  it('can take a message and leave the caller without an answer', async () => {
    const channel = memoryChannel()
    channel.respond('lost_after')
    await expect(channel.send(message, call())).rejects.toMatchObject({ code: 'memory_channel.outcome_unknown' })
    expect(channel.sent).toEqual([message])
  })

  it('drops a repeated key inside its window, and takes it again at its end', async () => {
    const channel = memoryChannel({ repeat: { kind: 'idempotent', windowMs: 60_000 } })
    for (const ms of [0, 59_999, 60_000]) await channel.send(message, call({ at: new Date(at.getTime() + ms) }))
    expect(channel.sent).toHaveLength(2)
    expect(channel.calls).toHaveLength(3)
  })

  it('takes a repeated key again when it promises nothing', async () => {
    const channel = memoryChannel({ repeat: { kind: 'none' } })
    await channel.send(message, call())
    await channel.send(message, call())
    expect(channel.sent).toHaveLength(2)
  })

  it('is silent until the signal when it hangs', async () => {
    const channel = memoryChannel()
    channel.respond('hang')
    const controller = new AbortController()
    const sending = channel.send(message, call({ signal: controller.signal }))
    controller.abort()
    await expect(sending).rejects.toMatchObject({ code: 'memory_channel.outcome_unknown' })
  })

  it('chooses an outcome by message', async () => {
    const channel = memoryChannel({
      outcome: ({ to }) => (to.id === 'u1' ? { status: 'accepted' } : { status: 'refused', reason: 'recipient' }),
    })
    const other = { ...message, deliveryKey: 'd-2', to: { ...message.to, id: 'u2' } }
    await expect(channel.send(message, call())).resolves.toMatchObject({ status: 'accepted' })
    await expect(channel.send(other, call())).resolves.toMatchObject({ status: 'refused' })
  })

  it('takes nothing after close', async () => {
    const channel = memoryChannel()
    await channel.close?.()
    expect(channel.closed).toBe(true)
    await expect(channel.send(message, call())).rejects.toMatchObject({ code: 'memory_channel.closed' })
  })

  it('starts anew after reset', async () => {
    const channel = memoryChannel()
    channel.respond({ status: 'accepted' }, 'lost_after')
    await channel.send(message, call())
    channel.reset()
    expect([channel.sent, channel.calls]).toEqual([[], []])
    await expect(channel.send(message, call())).resolves.toEqual({ status: 'accepted', providerId: 'memory-1' })
  })
})
