import { describe, expect, it } from 'vitest'
import { atLeast, tag } from '../../testing/rules.js'
import { NOON, worldOf } from '../../testing/shop.js'
import type { IncomingEvent, RejectionCode } from './event.js'

/** A program that has no business with TypeScript may send anything. */
const bad = (event: unknown) => event as IncomingEvent
const order = (more: Readonly<Record<string, unknown>>) =>
  bad({ event: 'order', userId: 'u1', messageId: 'bad', ...more })
const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = { a: value }
  return value
}
const parsed = (json: string) => JSON.parse(json) as Record<string, unknown>
const throwing = (name: string) =>
  Object.defineProperty({ event: 'order', userId: 'u1', messageId: 'bad' } as Record<string, unknown>, name, {
    enumerable: true,
    get() {
      throw new Error('no')
    },
  })

const CASES: readonly (readonly [name: string, code: RejectionCode, event: IncomingEvent])[] = [
  ['without a name', 'event.name', order({ event: undefined })],
  ['with an empty name', 'event.name', order({ event: '' })],
  ['with a name that is a number', 'event.name', order({ event: 7 })],
  ['with a name of 300 characters', 'event.name', order({ event: 'x'.repeat(300) })],
  ['with a time that is none', 'event.time', order({ timestamp: 'yesterday' })],
  ['with an empty time', 'event.time', order({ timestamp: '' })],
  ['with a time that is no number', 'event.time', order({ timestamp: 1.5 })],
  ['with a time that is an object', 'event.time', order({ timestamp: {} })],
  ['with a Date that is no time', 'event.time', order({ timestamp: new Date('never') })],
  ['of the year 3000', 'event.future', order({ timestamp: '3000-01-01T00:00:00Z' })],
  ['that was sent at no time', 'event.time', order({ timestamp: NOON, sentAt: 'soon' })],
  ['of more than five minutes from now', 'event.future', order({ timestamp: Date.parse(NOON) + 300_001 })],
  ['with NaN', 'event.number', order({ properties: { amount: Number.NaN } })],
  ['with Infinity', 'event.number', order({ properties: { items: [{ price: Number.POSITIVE_INFINITY }] } })],
  ['with 1e400, which JSON reads as Infinity', 'event.number', order({ properties: parsed('{"amount":1e400}') })],
  ['with a NUL character', 'event.text', order({ properties: { note: 'a\0b' } })],
  ['with a NUL character in a key', 'event.text', order({ properties: { 'a\0b': 1 } })],
  ['with a NUL character in its id', 'event.text', order({ messageId: 'a\0b' })],
  ['with a lone surrogate', 'event.text', order({ properties: { note: '\ud83d' } })],
  ['with a lone surrogate in its user', 'event.text', order({ userId: 'u\udc00' })],
  ['of 1 MB', 'event.too_large', order({ properties: { note: 'x'.repeat(1_000_000) } })],
  ['of 1 MB in small parts', 'event.too_large', order({ properties: { list: Array(100_000).fill('0123456789') } })],
  ['5,000 levels deep', 'event.too_deep', order({ properties: { deep: nested(5000) } })],
  ['100,000 levels deep', 'event.too_deep', order({ properties: { deep: nested(100_000) } })],
  ['with an object of 1,000 keys', 'event.too_many_keys', order({ properties: Object.fromEntries(keys(1000)) })],
  ['with a __proto__ key', 'event.key', order({ properties: parsed('{"__proto__":{"admin":true}}') })],
  ['with a __proto__ key deep inside', 'event.key', order({ properties: { a: [parsed('{"__proto__":1}')] } })],
  ['with a constructor key', 'event.key', order({ properties: { constructor: 1 } })],
  ['with a function', 'event.value', order({ properties: { callback: () => 1 } })],
  ['with a bigint', 'event.value', order({ properties: { amount: 1n } })],
  ['with a symbol', 'event.value', order({ properties: { mark: Symbol('x') } })],
  ['without a messageId', 'event.messageId', order({ messageId: undefined })],
  ['with an empty messageId', 'event.messageId', order({ messageId: '' })],
  ['with a messageId that is a number', 'event.messageId', order({ messageId: 7 })],
  ['of an unknown type', 'event.type', order({ type: 'page' })],
  ['with a type that is no text', 'event.type', order({ type: {} })],
  ['of nobody', 'event.subject', order({ userId: undefined })],
  ['of a user that is a number', 'event.subject', order({ userId: 7 })],
  ['of a user with an id that only linli gives', 'event.reserved', order({ userId: 'anon:a1' })],
  ['of a visitor with an id that only linli gives', 'event.reserved', order({ anonymousId: 'id:phone:1' })],
  ['that joins no group', 'event.subject', order({ type: 'group', event: undefined })],
  ['that is an alias of nobody', 'event.subject', order({ type: 'alias', userId: undefined, anonymousId: 'a1' })],
  ['that contains itself', 'event.too_deep', circular()],
  ['whose property throws', 'event.shape', bad(throwing('properties'))],
  ['whose id throws', 'event.shape', bad(throwing('messageId'))],
  ['whose user throws', 'event.shape', bad(throwing('userId'))],
  ['that is null', 'event.shape', bad(null)],
  ['that is undefined', 'event.shape', bad(undefined)],
  ['that is a text', 'event.shape', bad('{"event":"order"}')],
  ['that is a list', 'event.shape', bad([])],
  ['that is a function', 'event.shape', bad(() => 1)],
]

function keys(count: number): [string, number][] {
  return Array.from({ length: count }, (_, index) => [`k${index}`, index])
}

function circular(): IncomingEvent {
  const properties: Record<string, unknown> = {}
  properties['self'] = properties
  return order({ properties })
}

describe('an event', () => {
  for (const [name, code, event] of CASES) {
    it(`${name} is rejected by itself with ${code}, and its neighbours are taken in`, async () => {
      const world = await worldOf([tag('twice', atLeast(2, 'order'))])
      const good = (id: string) => ({ event: 'order', userId: 'u1', messageId: id })

      const report = await world.ingest(good('before'), event, good('after'))

      expect(report).toMatchObject({ accepted: 2, duplicates: 0, rejected: 1 })
      expect(report.results.map((result) => result.status)).toEqual(['accepted', 'rejected', 'accepted'])
      expect(report.results[1]).toMatchObject({ code, message: expect.any(String) })
      expect((await world.engine.subject('user', 'u1'))?.tags).toEqual(['twice'])
      const rejected = (await world.decisions()).filter(({ decision }) => decision === 'event.rejected')
      expect(rejected).toMatchObject([{ at: Date.parse(NOON), reason: code }])
      await world.close()
    })
  }

  it('that is rejected leaves Object.prototype as it was', async () => {
    const world = await worldOf([])
    const before = Object.getOwnPropertyNames(Object.prototype)

    await world.ingest(
      order({ type: 'identify', traits: parsed('{"__proto__":{"admin":true}}') }),
      order({ type: 'identify', userId: '__proto__', messageId: 'm2', traits: { admin: true } }),
    )

    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
    await world.close()
  })

  it('that is rejected is named in the log without what it said', async () => {
    const world = await worldOf([])

    await world.ingest(order({ messageId: 'm1', properties: { phone: '138-0000', amount: Number.NaN } }))

    expect(await world.decisions()).toMatchObject([{ subject: 'user:u1', messageId: 'm1', reason: 'event.number' }])
    expect(JSON.stringify(await world.decisions())).not.toContain('138')
    await world.close()
  })
})

describe('an unusual event', () => {
  const accepted = async (event: IncomingEvent) => {
    const world = await worldOf([
      tag(
        'seen',
        atLeast(1, 'order', { where: { fact: 'day', operator: 'equal', value: '2026-03-01T00:00:00.000Z' } }),
      ),
    ])
    const report = await world.ingest(event)
    const subject = await world.engine.subject('user', 'u1')
    await world.close()
    return { status: report.results[0]?.status, tags: subject?.tags }
  }

  it('with a Date in its properties has the text that JSON would write', async () => {
    const event = order({ properties: { day: new Date('2026-03-01T00:00:00Z') } })

    expect(await accepted(event)).toEqual({ status: 'accepted', tags: ['seen'] })
  })

  it('may come up to five minutes from the future: it counts as happening now', async () => {
    const world = await worldOf([tag('fresh', atLeast(1, 'order', { within: '1d' }))])

    await world.ingest(order({ timestamp: Date.parse(NOON) + 300_000 }))

    expect(await world.engine.nextDue()).toBe(Date.parse(NOON) + 86_400_000)
    await world.close()
  })

  it('may have a time in any of the usual forms; without a zone it is UTC', async () => {
    const world = await worldOf([tag('fresh', atLeast(1, 'order', { within: '30d' }))])
    const times = [
      '2026-02-28T16:00:00Z',
      '2026-03-01T00:00:00+08:00',
      '2026-02-28 16:00:00',
      Date.parse('2026-02-28T16:00:00Z'),
    ]

    const report = await world.ingest(
      ...times.map((timestamp, index) => order({ timestamp, userId: `u${index}`, messageId: `m${index}` })),
    )

    expect(report.accepted).toBe(4)
    expect((await world.engine.decisions()).length).toBe(4)
    await world.advanceTo('2026-03-30T16:00:00Z')
    expect((await world.decisions()).filter(({ decision }) => decision === 'tag.removed')).toHaveLength(4)
    await world.close()
  })

  it('has no members that are undefined, as JSON would write it', async () => {
    const world = await worldOf([])

    await world.ingest(bad({ type: 'identify', userId: 'u1', messageId: 'm1', traits: { city: undefined, age: 3 } }))

    expect((await world.engine.subject('user', 'u1'))?.traits).toStrictEqual({ age: 3 })
    await world.close()
  })
})
