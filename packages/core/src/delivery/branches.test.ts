import { describe, expect, it } from 'vitest'
import { journey, send, template, wait } from '../../testing/rules.js'
import { track, worldOf } from '../../testing/shop.js'
import type { SendResult } from '../ports/channel.js'
import { memoryChannel } from '../testing/memory-channel.js'

const end = (reason: string) => [{ id: reason, exit: { reason } }]
const on = { accepted: end('thanked'), refused: end('called'), suppressed: end('left-alone') }

async function endingAfter(
  result: SendResult,
  {
    steps = [{ ...send('push'), on }],
    rules = [],
    optOut = false,
  }: Readonly<{
    steps?: readonly unknown[]
    rules?: readonly unknown[]
    optOut?: boolean
  }> = {},
) {
  const [sms, wechat] = [memoryChannel({ name: 'sms', outcome: result }), memoryChannel({ name: 'wechat' })]
  const world = await worldOf([template('hello'), journey('remind', steps), ...rules], { channels: [sms, wechat] })
  const withdrawn = optOut ? [track('consent_withdrawn', 'u1', { channel: 'sms' })] : []
  await world.ingest(...withdrawn, track('cart', 'u1'))
  const decisions = await world.decisions()
  await world.close()
  return {
    exit: decisions.find(({ decision }) => decision === 'journey.exited')?.['reason'],
    stepped: decisions.filter(({ decision, step }) => decision === 'journey.stepped' && step === 'push'),
  }
}

describe('what follows a message, by its outcome', () => {
  it('is `accepted` when the provider took it', async () => {
    const { exit, stepped } = await endingAfter({ status: 'accepted' })

    expect(exit).toBe('thanked')
    expect(stepped.map(({ outcome }) => outcome)).toEqual([undefined, 'accepted'])
  })

  it('is `accepted` when a person has yet to send it', async () => {
    expect(await endingAfter({ status: 'awaiting_person' })).toMatchObject({ exit: 'thanked' })
  })

  it('is `refused` when the provider would not take it', async () => {
    expect(await endingAfter({ status: 'refused', reason: 'content' })).toMatchObject({ exit: 'called' })
  })

  it('is `suppressed` when a policy kept it back', async () => {
    expect(await endingAfter({ status: 'accepted' }, { optOut: true })).toMatchObject({ exit: 'left-alone' })
  })

  it('is `suppressed` when the template has no value for what it reads', async () => {
    const rules = [template('nameless', '{{ traits.name }}')]
    const steps = [{ ...send('push', { template: 'nameless' }), on }]

    expect(await endingAfter({ status: 'accepted' }, { steps, rules })).toMatchObject({ exit: 'left-alone' })
  })

  it('is that of the last channel that was tried', async () => {
    const steps = [{ ...send('push', { channel: ['sms', 'wechat'] }), on }]
    const refused: SendResult = { status: 'refused', reason: 'recipient' }

    expect(await endingAfter(refused, { steps })).toMatchObject({ exit: 'thanked' })
    expect(
      await endingAfter(refused, { steps: [{ ...send('push', { channel: ['wechat', 'sms'] }), on }] }),
    ).toMatchObject({
      exit: 'thanked',
    })
    expect(await endingAfter(refused)).toMatchObject({ exit: 'called' })
  })

  it('that is left out goes on below', async () => {
    const steps = [{ ...send('push'), on: { refused: end('called') } }, ...end('done')]

    expect(await endingAfter({ status: 'accepted' }, { steps })).toMatchObject({ exit: 'done' })
    expect(await endingAfter({ status: 'refused', reason: 'other' }, { steps })).toMatchObject({ exit: 'called' })
  })

  it('is not said where nothing depends on it', async () => {
    const { stepped } = await endingAfter({ status: 'accepted' }, { steps: [send('push'), wait('later', '1h')] })

    expect(stepped).toHaveLength(1)
  })
})
