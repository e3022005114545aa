import { definePack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { journey, send, template } from '../../testing/rules.js'
import type { Decision } from '../domain/decision.js'
import { type DeliveryOutcomes, fateOf } from './outcomes.js'
import { simulate } from './simulate.js'
import { whatIf } from './what-if.js'

const RULES = definePack([
  template('hello', '您好'),
  journey('remind', [send('push', { channel: ['app', 'sms'] })], { entry: { on: 'event', event: 'cart' } }),
])
const FIRST = Date.parse('2026-03-01T00:00:00Z')
const EVENTS = Array.from({ length: 400 }, (_, index) => ({
  event: 'cart',
  userId: `u${index}`,
  messageId: `m${index}`,
  timestamp: new Date(FIRST + index * 60_000).toISOString(),
}))

async function play(outcomes: DeliveryOutcomes, events = EVENTS): Promise<readonly Decision[]> {
  const decisions: Decision[] = []
  const until = '2026-03-03T00:00:00Z'
  await simulate({ rules: RULES, events, outcomes, until, onDecision: (decision) => decisions.push(decision) })
  return decisions
}

const fates = (decisions: readonly Decision[]) =>
  decisions
    .filter(({ decision }) => /^message\.(accepted|rejected|deferred)$/.test(decision))
    .map(({ subject, decision, channel, at }) => `${subject} ${decision} ${String(channel)} ${at}`)

const count = (decisions: readonly Decision[], kind: string, channel: string) =>
  decisions.filter((one) => one.decision === kind && one['channel'] === channel).length

describe('what becomes of messages in a simulation', () => {
  it('is as often what the shares say, and another channel is tried where one refuses', async () => {
    const decisions = await play({ seed: 1, channels: { app: { refused: 0.25, deferred: 0.5 } } })

    expect(count(decisions, 'message.rejected', 'app')).toBeGreaterThan(60)
    expect(count(decisions, 'message.rejected', 'app')).toBeLessThan(140)
    expect(count(decisions, 'message.deferred', 'app')).toBeGreaterThan(150)
    expect(count(decisions, 'message.deferred', 'app')).toBeLessThan(250)
    expect(count(decisions, 'message.accepted', 'sms')).toBe(count(decisions, 'message.rejected', 'app'))
    expect(count(decisions, 'message.accepted', 'app')).toBe(400 - count(decisions, 'message.rejected', 'app'))
  })

  it('is accepted after the delay where it was deferred', async () => {
    const [event] = EVENTS
    const decisions = await play({ seed: 1, channels: { '*': { deferred: 1, delay: '3h' } } }, event ? [event] : [])

    expect(fates(decisions)).toEqual([
      `user:u0 message.deferred app ${FIRST}`,
      `user:u0 message.accepted app ${FIRST + 3 * 3_600_000}`,
    ])
  })

  it('follows from the seed and the delivery alone, whoever else gets one', async () => {
    const outcomes = { seed: 'a', channels: { app: { refused: 0.3 } } }
    const all = fates(await play(outcomes))
    const some = fates(
      await play(
        outcomes,
        EVENTS.filter((_, index) => index % 3 === 0),
      ),
    )

    expect(fates(await play(outcomes))).toEqual(all)
    expect(some.length).toBeGreaterThan(100)
    expect(all).toEqual(expect.arrayContaining(some))
    expect(fates(await play({ ...outcomes, seed: 'b' }))).not.toEqual(all)
  })

  it('is the same for both packs of a what-if', async () => {
    const more = definePack([template('hello', '您好'), journey('remind', [send('push', { channel: 'fax' })])])
    const outcomes = { seed: 1, channels: { app: { refused: 1 }, fax: { refused: 1 } } }

    const { old, new: now } = await whatIf({ old: RULES, new: more, events: () => EVENTS, outcomes })

    expect(old.messages.accepted).toBe(400)
    expect(now.messages.accepted).toBe(0)
  })

  it('is that all are accepted at once where nothing is said', async () => {
    expect(fateOf(undefined, [])('sms', 'key', { attempt: 1, at: new Date(0) })).toEqual({ status: 'accepted' })
    expect(count(await play({ seed: 1, channels: {} }), 'message.accepted', 'app')).toBe(400)
  })

  it('is refused where it is not right, with all that is wrong and what would be right', () => {
    const outcomes = {
      sead: 1,
      channels: { ap: {}, sms: { refused: 0.7, deferred: 0.4, delay: 'soon' }, app: { refused: 2 } },
    }
    expect(() => fateOf(outcomes, [RULES])).toThrow(
      expect.objectContaining({
        code: 'outcomes.invalid',
        message: expect.stringMatching(/There is no key "sead" here.*Did you mean "seed"\?/s),
      }),
    )
    const { sead: _, ...rest } = {
      ...outcomes,
      seed: 1,
      channels: { ap: outcomes.channels.ap, sms: outcomes.channels.sms },
    }
    expect(() => fateOf(rest, [RULES])).toThrow(
      /The rules send nothing by "ap"\. They send by: app, sms\. .* Did you mean "app"\?.*more than 1 together.*A duration looks like/s,
    )
  })
})
