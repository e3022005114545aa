import { expect, it } from 'vitest'
import { steps, template } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const send = (id: string, messageClass: string, channel = 'sms') => ({
  id,
  send: { template: 't', channel, class: messageClass },
})
const mix = (more: object = {}) => ({ kind: 'policy', id: 'fifth', mix: { share: 0.2, ...more } })
const found = (list: readonly unknown[], policy: unknown = mix()) =>
  reviewPack(definePack([steps(...list), template('x'), { kind: 'policy', id: 'c', consent: {} }, policy])).map(
    ({ code, pointer, message }) => ({ code, pointer, message }),
  )

it('finds promotions where a mix asks for other messages and there are none', () => {
  expect(found([send('a', 'promotion')])).toEqual([
    {
      code: 'message.mix',
      pointer: '/0/steps/0',
      message:
        'This is never sent: the policy "fifth" lets promotion messages be at most 20% of all. Nothing in the pack sends a user anything else. Send something of use, too, or leave out the policy.',
    },
  ])
  expect(found([send('a', 'promotion'), send('b', 'service', 'push')], mix({ channels: ['sms'] }))).toHaveLength(1)
})

it('finds promotions where a mix lets none through', () => {
  expect(found([send('a', 'promotion'), send('b', 'service')], mix({ share: 0 }))).toMatchObject([
    { code: 'message.mix', pointer: '/0/steps/0' },
  ])
})

it('says nothing where other messages make room, or the mix is not about the channel', () => {
  expect(found([send('a', 'promotion'), send('b', 'service')])).toEqual([])
  expect(found([send('a', 'promotion')], mix({ channels: ['push'] }))).toEqual([])
  expect(found([send('a', 'promotion')], mix({ share: 1 }))).toEqual([])
})

it('knows that what one member gets makes room for another, where a mix is of the community', () => {
  const community = { kind: 'journey', id: 'news', subject: 'community', entry: { on: 'event', event: 'opened' } }
  const news = { ...community, steps: [send('b', 'content')] }
  const pack = (of: object) =>
    reviewPack(
      definePack([
        steps(send('a', 'promotion')),
        template('x'),
        { kind: 'policy', id: 'c', consent: {} },
        news,
        mix(of),
      ]),
    ).map(({ code }) => code)
  expect(pack({})).toEqual(['message.mix'])
  expect(pack({ of: 'community' })).toEqual([])
  expect(found([send('a', 'promotion')], mix({ of: 'community' }))).toMatchObject([
    { code: 'message.mix', message: expect.stringContaining('Nothing in the pack sends members anything else.') },
  ])
})
