import { expect, it } from 'vitest'
import { journey, score, send, tag, template, wait } from '../../testing/rules.js'
import { group, identify, track, worldOf } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import type { PersonExport } from './export.js'

const RULES = [
  template('hello', '{{ traits.name }}，您好'),
  template('tip', '{{ traits.name }} 想买菜'),
  { kind: 'offer', id: 'trial', name: '水果券', total: 5, value: 5 },
  tag('new'),
  tag('buyer', { fact: 'eventCount', operator: 'equal', value: 1, params: { event: 'cart', within: '1d' } }),
  score('warmth', [{ points: 3, event: 'cart', halfLife: '1d' }]),
  journey('gift', [
    { id: 'coupon', issue: { offer: 'trial' } },
    send('push', { class: 'service' }),
    { id: 'tip', suggest: { to: 'leader', template: 'tip', expires: '1d' } },
    wait('later', '1h'),
  ]),
]

async function exported(engine: Engine, userId: string): Promise<PersonExport> {
  let text = ''
  for await (const piece of engine.exportPerson(userId)) text += piece
  return JSON.parse(text)
}

it('gives all that is kept of somebody as one document, under whichever id it came', async () => {
  const world = await worldOf(RULES)
  const openid = { context: { externalIds: [{ type: 'openid', id: 'o-1' }] } }
  await world.ingest({ ...identify('u2', { name: '王芳' }), ...openid }, { ...identify('u1'), ...openid })
  await world.ingest(
    group('u1', 'c1', { leaderId: 'l1' }),
    track('consent_granted', 'u1', { channel: 'sms', class: 'promotion' }),
  )
  await world.ingest(track('cart', 'u2', { items: ['菠菜'] }), track('cart', 'u3'))

  const document = await exported(world.engine, 'id:openid:o-1')

  const at = '2026-03-01T04:00:00.000Z'
  expect(document).toMatchObject({
    format: 'linli.person/1',
    exportedAt: at,
    id: 'u2',
    also: ['u1'],
    names: ['id:openid:o-1'],
    traits: { name: { value: '王芳', at } },
    relations: { community: { id: 'c1', at }, leader: { id: 'l1', at } },
    tags: [{ id: 'buyer', since: at }],
    scores: { warmth: { value: 3 } },
    consent: [{ channel: 'sms', class: 'promotion', granted: true, at }],
    runs: [{ journey: 'gift', step: 'later', enteredAt: at, until: '2026-03-01T05:00:00.000Z' }],
    sends: [{ at, channel: 'sms', class: 'service' }],
    merges: [{ into: 'u2', from: 'u1', by: 'openid', at }],
    coupons: [{ offer: 'trial', name: '水果券', code: expect.stringMatching(/^TEST-/), value: 5, issuedAt: at }],
  })
  const deliveries = document.deliveries.map(({ kind, what, state, text }) => [kind, what, state, text])
  expect(deliveries.sort()).toEqual([
    ['coupon', 'trial', 'accepted', undefined],
    ['message', 'hello', 'accepted', undefined],
    ['suggestion', 'tip', 'awaiting_person', '王芳 想买菜'],
  ])
  const names = ['cart', 'consent_granted', 'coupon_issued', 'group', 'identify', 'identify', 'message_accepted']
  expect(document.events.map(({ event }) => event).sort()).toEqual(names)
  const cart = document.events.find(({ event }) => event === 'cart')
  expect(cart).toMatchObject({ userId: 'u2', at, properties: { items: ['菠菜'] } })
  expect(new Set(document.decisions.map(({ subject }) => subject))).toEqual(new Set(['user:u2']))
  await world.close()
})

it('gives the events of many pages, and nothing of others', async () => {
  const world = await worldOf(RULES)
  const many = Array.from({ length: 2300 }, (_, index) => ({ ...track('view', 'u1'), messageId: `v-${index}` }))
  await world.ingest(...many, track('view', 'u2'))

  const { events } = await exported(world.engine, 'u1')

  expect(events.map(({ messageId }) => messageId).sort()).toEqual(many.map(({ messageId }) => messageId).sort())
  await world.close()
})

it('has nothing to give of somebody of whom nothing is known, or who was erased', async () => {
  const world = await worldOf(RULES)
  await world.ingest(track('cart', 'u1'))
  await world.engine.erasePerson('u1')

  for (const id of ['u1', 'stranger']) {
    await expect(exported(world.engine, id)).rejects.toMatchObject({ code: 'subject.unknown' })
  }
  await world.close()
})
