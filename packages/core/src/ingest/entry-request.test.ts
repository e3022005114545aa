import { definePack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { eventHas, journey, send, tag, tagged, template, wait } from '../../testing/rules.js'
import { NOON, worldOf } from '../../testing/shop.js'
import { simulate } from '../simulation/simulate.js'

const visit = (more: Readonly<Record<string, unknown>> = {}) =>
  journey('visit', [send('push', { class: 'service' }), wait('later', '1h')], { entry: { on: 'api' }, ...more })
const RULES = [visit(), journey('other', [wait('later', '1h')]), template('hello', '{{ entry.shop }}')]
const entries = async (world: Awaited<ReturnType<typeof worldOf>>) =>
  (await world.decisions()).filter(({ decision }) => decision === 'journey.entered')

describe('a journey that programs enter', () => {
  it('is entered by engine.enter, and templates read its properties', async () => {
    const world = await worldOf(RULES)

    const result = await world.engine.enter('visit', { userId: 'u1', messageId: 'm1', properties: { shop: '东门店' } })
    await world.engine.settle()

    expect(result).toEqual({ status: 'accepted', messageId: 'm1' })
    expect(await entries(world)).toMatchObject([{ rule: 'visit', subject: 'user:u1', messageId: 'm1' }])
    expect(world.sent).toMatchObject([{ content: { body: '东门店' } }])
    await world.close()
  })

  it('is entered once by one message id', async () => {
    const world = await worldOf([visit({ reentry: 'always' }), ...RULES.slice(1)])
    const request = { userId: 'u1', messageId: 'm1', properties: { shop: 'a' } }

    await world.engine.enter('visit', request)
    const again = await world.engine.enter('visit', request)
    const conflicting = await world.engine.enter('visit', { ...request, properties: { shop: 'b' } })

    expect(again).toEqual({ status: 'duplicate', messageId: 'm1' })
    expect(conflicting).toEqual({ status: 'duplicate', messageId: 'm1', conflict: true })
    expect(await entries(world)).toHaveLength(1)
    await world.close()
  })

  it('is entered by the event itself as well, so that logs and simulations know of it', async () => {
    const simulated = await simulate({
      rules: definePack(RULES),
      events: [
        {
          event: 'journey_requested',
          userId: 'u1',
          messageId: 'm1',
          timestamp: NOON,
          properties: { journey: 'visit', shop: 'a' },
        },
      ],
    })
    expect(simulated.journeys['visit']?.entered).toBe(1)
  })

  it('is entered by requests for itself only', async () => {
    const world = await worldOf([visit(), { ...visit(), id: 'second' }, ...RULES.slice(1)])
    await world.engine.enter('second', { userId: 'u1', messageId: 'm1', properties: { shop: 'a' } })
    expect(await entries(world)).toMatchObject([{ rule: 'second' }])
    await world.close()
  })

  it('asks its conditions, over the request and over the person, and has a key of the request', async () => {
    const conditions = { all: [eventHas('shop', 'east'), tagged('vip')] }
    const world = await worldOf([
      tag('vip', { fact: 'trait', operator: 'equal', value: 'vip', params: { name: 'level' } }),
      visit({ entry: { on: 'api', conditions }, key: 'table' }),
      ...RULES.slice(1),
    ])
    const enter = (messageId: string, userId: string, properties: Readonly<Record<string, unknown>>) =>
      world.engine.enter('visit', { messageId, userId, properties })
    await world.ingest({ type: 'identify', userId: 'u1', messageId: 'i1', traits: { level: 'vip' } })

    await enter('m1', 'u1', { shop: 'east', table: 7 })
    await enter('m2', 'u1', { shop: 'east', table: 8 })
    await enter('m3', 'u1', { shop: 'west', table: 9 })
    await enter('m4', 'u2', { shop: 'east', table: 7 })

    expect(await entries(world)).toMatchObject([{ key: '7' }, { key: '8' }])
    await world.close()
  })

  it('is explained by the request that let somebody in', async () => {
    const world = await worldOf(RULES)
    await world.engine.enter('visit', { userId: 'u1', messageId: 'm1', properties: { shop: 'a' } })
    await world.engine.settle()
    const explained = await world.engine.explain({ subject: ['user', 'u1'], rule: 'visit' })
    expect(explained).toMatchObject({ holds: true, event: { messageId: 'm1', properties: { shop: 'a' } } })
    await world.close()
  })

  it('refuses a bad request as ingest refuses an event', async () => {
    const world = await worldOf(RULES)
    expect(await world.engine.enter('visit', { messageId: 'm1' })).toMatchObject({
      status: 'rejected',
      code: 'event.subject',
    })
    await world.close()
  })

  it('that there is not is refused with the nearest there is', async () => {
    const world = await worldOf(RULES)
    await expect(world.engine.enter('visits', { userId: 'u1', messageId: 'm1' })).rejects.toMatchObject({
      code: 'rule.unknown',
      message: 'The rules have no journey "visits". Did you mean "visit"?',
      facts: { known: ['visit'] },
    })
    await world.close()
  })

  it('that is entered otherwise is refused, and so is a property that would say which journey is meant', async () => {
    const world = await worldOf(RULES)
    const request = { userId: 'u1', messageId: 'm1' }
    await expect(world.engine.enter('other', request)).rejects.toMatchObject({
      code: 'journey.entry',
      message: 'Journey "other" is entered by "event", not by programs: its entry should be { "on": "api" }.',
    })
    await expect(world.engine.enter('visit', { ...request, properties: { journey: 'x' } })).rejects.toMatchObject({
      code: 'journey.property',
    })
    expect(await world.engine.subject('user', 'u1')).toBeUndefined()
    await world.close()
  })

  it('is one of users', () => {
    expect(() => definePack([visit({ subject: 'community' }), template('hello')])).toThrow(
      'Programs enter users only, and this is a journey of a community.',
    )
  })
})
