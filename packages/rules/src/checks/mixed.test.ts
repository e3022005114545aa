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
