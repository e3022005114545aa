import { describe, expect, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { shopOf, track } from '../../testing/shop.js'
import type { Channel, Outbound, RepeatSafety, SendResult } from '../ports/channel.js'

const RULES = [template('hello'), journey('remind', [send('push'), wait('later', '2d')])]
const MINUTE = 60_000

/** A provider that outlives the processes that call it, and whose answer the first caller never gets. */
function provider(repeat: RepeatSafety, { takes = true } = {}) {
  const calls: Outbound[] = []
  const taken = new Set<string>()
  const take = (message: Outbound) => {
    calls.push(message)
    if (takes || calls.length > 1) taken.add(message.deliveryKey)
  }
  const crashing: Channel = {
    name: 'sms',
    repeat,
    send: (message) => {
      take(message)
      return new Promise(() => {})
    },
    lookUp: () => new Promise(() => {}),
  }
  const working: Channel = {
    name: 'sms',
    repeat,
    send: (message) => {
      take(message)
      return Promise.resolve<SendResult>({ status: 'accepted' })
    },
    lookUp: (key) => Promise.resolve(taken.has(key) ? { status: 'accepted' } : { status: 'not_found' }),
  }
  return { calls, crashing, working }
}

/** One process dies while it waits for the provider; another one takes over when the lease has ended. */
async function crashAndTakeOver(repeat: RepeatSafety, options?: { readonly takes: boolean }) {
  const shop = shopOf(RULES)
  const { calls, crashing, working } = provider(repeat, options)
  const first = await shop.start({ channels: [crashing], callTimeoutMs: 10 * MINUTE })
  await first.ingest([track('cart', 'u1')])
  void first.settle()
  await expect.poll(() => calls.length).toBe(1)
  expect(await first.deliveries()).toMatchObject([{ state: 'calling', attempt: 1 }])

  const second = await shop.start({ channels: [working] })
  await second.settle()
  const beforeLease = calls.length
  for (let minute = 1; minute <= 30; minute++) {
    shop.clock.moveTo(shop.clock.now() + MINUTE)
    await second.settle()
  }
  const [delivery] = await second.deliveries()
  const subject = await second.subject('user', 'u1')
  await second.close()
  return { beforeLease, keys: calls.map(({ deliveryKey }) => deliveryKey), state: delivery?.state, subject }
}

describe('a process that dies while a provider is being called', () => {
  it('holds its delivery until the lease ends', async () => {
    const { beforeLease } = await crashAndTakeOver({ kind: 'idempotent', windowMs: 60 * MINUTE })

    expect(beforeLease).toBe(1)
  })

  it('leaves an unknown outcome: repeated with the same key where repeats are dropped', async () => {
    const { keys, state } = await crashAndTakeOver({ kind: 'idempotent', windowMs: 60 * MINUTE })

    expect(keys).toHaveLength(2)
    expect(keys[0]).toBe(keys[1])
    expect(state).toBe('accepted')
  })

  it('has the provider asked first where it can be asked', async () => {
    const had = await crashAndTakeOver({ kind: 'queryable' })
    const hadNot = await crashAndTakeOver({ kind: 'queryable' }, { takes: false })

    expect(had).toMatchObject({ state: 'accepted', keys: { length: 1 } })
    expect(hadNot).toMatchObject({ state: 'accepted', keys: { length: 2 } })
  })

  it('is never followed by a blind second call', async () => {
    const { keys, state, subject } = await crashAndTakeOver({ kind: 'none' })

    expect(keys).toHaveLength(1)
    expect(state).toBe('parked')
    expect(subject?.runs).toMatchObject([{ step: 'later' }])
  })

  it('and comes back to life does not write over what was decided since', async () => {
    const shop = shopOf(RULES)
    const answers: ((result: SendResult) => void)[] = []
    const slow: Channel = {
      name: 'sms',
      repeat: { kind: 'none' },
      send: () => new Promise((resolve) => answers.push(resolve)),
    }
    const first = await shop.start({ channels: [slow], callTimeoutMs: 10 * MINUTE })
    await first.ingest([track('cart', 'u1')])
    const settled = first.settle()
    await expect.poll(() => answers.length).toBe(1)
    const second = await shop.start({ channels: [slow] })
    shop.clock.moveTo(shop.clock.now() + 2 * MINUTE)
    await second.settle()

    answers[0]?.({ status: 'refused', reason: 'content' })
    await settled

    expect(await second.deliveries()).toMatchObject([{ state: 'parked' }])
    expect((await second.decisions()).filter(({ decision }) => decision.startsWith('message.'))).toHaveLength(2)
  })
})
