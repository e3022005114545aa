import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { scratchFolder } from '../../../testing/scratch.js'
import type { Channel, Outbound, RepeatSafety } from '../../ports/channel.js'
import { PROVIDER_FAULTS, type Provider, type ProviderEntry, type ProviderOptions, startProvider } from './provider.js'
import { providerChannel } from './provider-channel.js'

const MESSAGE: Outbound = {
  deliveryKey: 'k-1',
  channel: 'sms',
  class: 'service',
  to: { kind: 'user', id: 'u-1', traits: { phone: '13800000000' } },
  content: { template: 'hello', body: '您好' },
  source: { journey: 'j', run: 'r', step: 's' },
}
const AT = new Date('2026-03-01T12:00:00+08:00')

describe('the provider that fails', () => {
  const scratch = scratchFolder()
  let provider: Provider
  afterEach(() => provider.close())

  async function open(options: Partial<ProviderOptions> = {}, repeat: RepeatSafety = { kind: 'queryable' }) {
    provider = await startProvider({ log: scratch.path('log'), ...options })
    return providerChannel({ name: 'sms', url: provider.url, repeat })
  }

  function send(channel: Channel, { deliveryKey = 'k-1', patienceMs = 300 } = {}) {
    const context = { attempt: 1, at: AT, signal: AbortSignal.timeout(patienceMs) }
    return channel.send({ ...MESSAGE, deliveryKey }, context).catch(() => 'nobody knows' as const)
  }

  function log(): readonly ProviderEntry[] {
    const lines = readFileSync(scratch.path('log'), 'utf8').trim().split('\n')
    return lines.map((line) => JSON.parse(line) as ProviderEntry)
  }

  it('takes a message once, drops repeats of its key, and writes both down without a word of the message', async () => {
    const channel = await open()

    expect(await send(channel)).toEqual({ status: 'accepted' })
    expect(await send(channel)).toEqual({ status: 'accepted' })

    expect(log()).toMatchObject([
      { key: 'k-1', did: 'sent', to: 'user:u-1', decidedAt: AT.getTime() },
      { key: 'k-1', did: 'repeat' },
    ])
    expect(JSON.stringify(log())).not.toMatch(/13800000000|您好/)
  })

  it('takes a repeat for another message once its window is over', async () => {
    let now = 0
    const channel = await open({ windowMs: 1000, now: () => now })
    await send(channel)
    now = 999
    await send(channel)
    now = 1000
    await send(channel)

    expect(log().map(({ did }) => did)).toEqual(['sent', 'repeat', 'sent'])
  })

  it('says what it has taken when it is asked', async () => {
    const channel = await open()
    await send(channel)
    const context = { attempt: 1, at: AT, signal: AbortSignal.timeout(1000) }

    expect(await channel.lookUp?.('k-1', context)).toEqual({ status: 'accepted' })
    expect(await channel.lookUp?.('k-2', context)).toEqual({ status: 'not_found' })
  })

  const answers = {
    'take and reset': 'nobody knows',
    'take and hang': 'nobody knows',
    'take and fail': 'nobody knows',
    'take and babble': 'nobody knows',
    reset: 'nobody knows',
    fail: 'deferred',
    'too many': 'deferred',
  } as const
  it.each(PROVIDER_FAULTS)('can "%s"', async (fault) => {
    const channel = await open({ faults: 1, kinds: [fault] })

    const answer = await send(channel)

    expect(answer === 'nobody knows' ? answer : answer.status).toBe(answers[fault])
    expect(log()).toMatchObject([{ did: fault.startsWith('take') ? 'sent' : 'refused', fault }])
  })

  it('fails at the same requests for the same seed, and at about as many as it is to', async () => {
    const faultsOf = async (seed: number) => {
      const channel = await open({ faults: 0.3, kinds: ['fail'], seed, log: scratch.path(`log-${seed}`) })
      const results: unknown[] = []
      for (let number = 0; number < 100; number++) results.push(await send(channel, { deliveryKey: `k-${number}` }))
      await provider.close()
      return results.map((result) => result !== 'nobody knows' && (result as { status: string }).status)
    }
    const [first, again, other] = [await faultsOf(1), await faultsOf(1), await faultsOf(2)]

    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
    const failed = first.filter((status) => status === 'deferred').length
    expect(failed).toBeGreaterThan(10)
    expect(failed).toBeLessThan(60)
  })
})
