import { describe, expect, it } from 'vitest'
import type { Channel, Outbound, RepeatSafety, SendResult } from '../ports/channel.js'
import { type ChannelContractOptions, channelContract, type ProviderControls } from './channel-contract.js'
import { memoryChannel } from './memory-channel.js'

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'bad',
  class: 'service',
  to: { kind: 'user', id: 'u1', traits: { phone: '+8613800000000' } },
  content: { template: 'arrived', title: '到货提醒', body: '您的草莓到了，请来取' },
  source: { journey: 'pickup', run: 'r1', step: 'tell' },
}

/** A provider as the checks see it, and a channel that may be spoilt. */
function world(repeat: RepeatSafety, spoil: (good: Channel) => Partial<Channel>, controls?: ProviderControls) {
  let good = memoryChannel({ repeat })
  const provider: ProviderControls = {
    accepted: () => good.sent.map(({ deliveryKey }) => deliveryKey),
    failNext: (when) => good.respond(when === 'before' ? 'lost_before' : 'lost_after'),
    refuseNext: () => good.respond({ status: 'refused', reason: 'recipient' }),
    deferNext: () => good.respond({ status: 'deferred', retryAt: new Date(Date.now() + 1_000) }),
    hangNext: () => good.respond('hang'),
  }
  return {
    create() {
      good = memoryChannel({ repeat })
      const { name, send, lookUp, close } = good
      const base: Channel = { name, repeat, send, ...(lookUp ? { lookUp } : {}), ...(close ? { close } : {}) }
      return Object.defineProperties({ ...base }, Object.getOwnPropertyDescriptors(spoil(base)))
    },
    message,
    repeat: repeat.kind,
    provider: controls ?? provider,
    settleMs: 100,
  } satisfies ChannelContractOptions
}

/** The titles of the checks that fail. */
async function failures(options: ChannelContractOptions): Promise<string[]> {
  const failed: string[] = []
  for (const { title, run } of channelContract(options)) {
    await run().catch((error: unknown) => {
      expect(error).toMatchObject({ name: 'AssertionError' })
      failed.push(title)
    })
  }
  return failed
}

const idempotent: RepeatSafety = { kind: 'idempotent', windowMs: 60_000 }
const queryable: RepeatSafety = { kind: 'queryable' }
const none: RepeatSafety = { kind: 'none' }

const settled = (good: Channel, change: (result: SendResult, message: Outbound) => SendResult): Partial<Channel> => ({
  send: async (message, context) => change(await good.send(message, context), message),
})
const caught = (good: Channel, change: (error: unknown, message: Outbound) => SendResult): Partial<Channel> => ({
  send: (message, context) => good.send(message, context).catch((error: unknown) => change(error, message)),
})

let counter = 0
const bad: readonly [string, RepeatSafety, (good: Channel) => Partial<Channel>, string][] = [
  ['has an empty name', none, () => ({ name: ' ' }), 'has a name'],
  [
    'changes its name',
    none,
    () => ({
      get name() {
        return `bad-${counter++}`
      },
    }),
    'has a name',
  ],
  ['declares something else', none, () => ({ repeat: idempotent }), 'declares that its repeats'],
  ['declares no window', idempotent, () => ({ repeat: { kind: 'idempotent', windowMs: 0 } }), 'declares that its'],
  ['is queryable without lookUp', queryable, () => ({ lookUp: undefined }) as never, 'declares that its repeats'],
  [
    'throws on a refusal',
    none,
    (good) =>
      settled(good, (result) => {
        if (result.status === 'refused') throw new Error('refused')
        return result
      }),
    'answers a refusal',
  ],
  [
    'throws on a rate limit',
    none,
    (good) =>
      settled(good, (result) => {
        if (result.status === 'deferred') throw new Error('slow down')
        return result
      }),
    'answers "later"',
  ],
  [
    'throws before it returns a promise',
    none,
    () => ({
      send() {
        throw new Error('at once')
      },
    }),
    'answers a valid message',
  ],
  ['answers a status of its own', none, (good) => settled(good, () => ({ status: 'ok' }) as never), 'answers a valid'],
  [
    'gives a reason of its own',
    none,
    (good) =>
      settled(good, (result) => (result.status === 'refused' ? { ...result, reason: 'spam' as never } : result)),
    'answers a refusal',
  ],
  [
    'defers to an instant that is past',
    none,
    (good) => settled(good, (result) => (result.status === 'deferred' ? { ...result, retryAt: new Date(0) } : result)),
    'answers "later"',
  ],
  [
    'defers to no instant',
    none,
    (good) =>
      settled(good, (result) => (result.status === 'deferred' ? { ...result, retryAt: new Date('soon') } : result)),
    'answers "later"',
  ],
  [
    'changes its message',
    none,
    (good) => ({
      send(message, context) {
        const { data } = message.content
        if (data) Object.assign(data, { sent: 'yes' })
        else Object.assign(message.content, { body: message.content.body.trim().slice(0, 3) })
        return good.send(message, context)
      },
    }),
    'leaves the message',
  ],
  [
    'ignores the abort',
    none,
    (good) => ({
      send: (message, context) => good.send(message, { ...context, signal: new AbortController().signal }),
    }),
    'settles promptly when aborted during',
  ],
  [
    'waits although the signal is aborted already',
    none,
    (good) => ({
      async send(message, context) {
        if (context.signal.aborted) await new Promise(() => {})
        return good.send(message, context)
      },
    }),
    'settles promptly when the signal was aborted before',
  ],
  ['takes silence for success', none, (good) => caught(good, () => ({ status: 'accepted' })), 'settles promptly when'],
  ['claims what was lost', none, (good) => caught(good, () => ({ status: 'accepted' })), 'never claims'],
  [
    'denies what was taken',
    idempotent,
    (good) => caught(good, () => ({ status: 'deferred', retryAt: new Date(Date.now() + 1_000) })),
    'never denies',
  ],
  [
    'makes a key of its own for each attempt',
    idempotent,
    (good) => ({
      send: (message, context) => good.send({ ...message, deliveryKey: `own-${counter++}` }, context),
    }),
    'hands the same key on',
  ],
  [
    'confuses concurrent calls',
    none,
    (good) => {
      let last: Promise<SendResult> | undefined
      return {
        send(message, context) {
          last ??= good.send(message, context)
          return last
        },
      }
    },
    'gives each of many concurrent calls',
  ],
  ['looks up everything as accepted', queryable, () => ({ lookUp: async () => ({ status: 'accepted' }) }), 'tells a'],
  ['looks up nothing', queryable, () => ({ lookUp: async () => ({ status: 'not_found' }) }), 'tells a delivery'],
  [
    'puts the body into its errors',
    none,
    (good) =>
      caught(good, (_, { content }) => {
        throw new Error(`POST failed: ${JSON.stringify(content)}`)
      }),
    'keeps the message',
  ],
  [
    'puts the address into the cause of its errors',
    none,
    (good) =>
      caught(good, (_, { to }) => {
        throw new Error('POST failed', { cause: { request: { headers: {}, data: { ...to.traits } } } })
      }),
    'keeps the message',
  ],
  [
    'puts the address into a detail',
    none,
    (good) =>
      settled(good, (result, { to }) =>
        result.status === 'refused' ? { ...result, detail: `unknown number ${to.traits['phone']}` } : result,
      ),
    'keeps the message',
  ],
  [
    'fails a second close',
    none,
    () => {
      let open = true
      return {
        async close() {
          if (!open) throw new Error('closed already')
          open = false
        },
      }
    },
    'can be closed twice',
  ],
]

describe('the channel contract', () => {
  it.each(bad)('fails a channel that %s', async (_, repeat, spoil, title) => {
    const failed = await failures(world(repeat, spoil))
    expect(failed.filter((failure) => failure.startsWith(title))).toHaveLength(1)
  })

  it.each([idempotent, queryable, none])('passes a good $kind channel', async (repeat) => {
    await expect(failures(world(repeat, () => ({})))).resolves.toEqual([])
  })

  it('leaves out what it cannot provoke', () => {
    const all = channelContract(world(none, () => ({}))).map(({ title }) => title)
    const some = channelContract(world(none, () => ({}), {})).map(({ title }) => title)
    expect(all.filter((title) => !some.includes(title))).toEqual([
      'settles promptly when aborted during the call',
      'answers a refusal with a value',
      'answers "later" with a value and an instant to come',
      'never denies a message that the provider took',
      'never claims a message that the provider did not take',
    ])
  })

  it('closes the channel of a check that fails', async () => {
    let closed = 0
    const options = world(none, () => ({ name: '', close: async () => void closed++ }))
    const [first] = channelContract(options)
    await expect(first?.run()).rejects.toThrow('name must not be empty')
    expect(closed).toBe(1)
  })
})
