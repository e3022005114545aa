import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Decision, IncomingEvent } from '@linli/core'
import { createWorld } from '@linli/core/testing'
import { checkPack } from '@linli/rules'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const RULES = fileURLToPath(new URL('rules', import.meta.url))
const CHANNELS = ['sms', 'wechat-miniprogram', 'wecom']

let world: Awaited<ReturnType<typeof createWorld>>
let messages = 0

const track = (event: string, userId: string, properties: IncomingEvent['properties'] = {}): IncomingEvent => {
  return { type: 'track', event, userId, messageId: `m${++messages}`, properties }
}
const joins = (userId: string): IncomingEvent => {
  return { type: 'group', groupId: 'c-1', userId, messageId: `m${++messages}` }
}
const agrees = (userId: string) => track('consent_granted', userId, { channel: '*', class: 'promotion' })
const suppressed = async () => (await world.decisions()).filter(({ decision }) => decision === 'message.suppressed')
const words = ({ rule, reason, needed }: Decision) => ({ rule, reason, needed })

describe('the policies of the page', () => {
  beforeEach(async () => {
    world = await createWorld({ rules: RULES, now: '2026-03-01T12:00:00+08:00' })
  })
  afterEach(() => world.close())

  it('are right, without a warning', async () => {
    expect((await checkPack([RULES], { channels: CHANNELS })).problems).toEqual([])
  })

  it('send nothing to who never agreed, and the run goes on to what follows', async () => {
    await world.ingest(track('sale_opened', 'u1'))

    expect((await suppressed()).map(words)).toEqual([
      { rule: 'agreed', reason: 'no consent', needed: 'a consent_granted event for promotion on sms' },
    ])
    expect((await world.decisions()).map(({ step }) => step)).toContain('not-told')
  })

  it('cancel what is planned when consent is withdrawn', async () => {
    await world.advanceTo('2026-03-01T23:00:00+08:00')
    await world.ingest(agrees('u1'), track('sale_opened', 'u1'))
    await world.ingest(track('consent_withdrawn', 'u1', { channel: 'sms', class: 'promotion' }))
    await world.advanceTo('2026-03-02T09:00:00+08:00')

    expect(world.sent).toEqual([])
    expect((await suppressed()).map(({ reason }) => reason)).toEqual(['opted out'])
  })

  it('count what two users got as one, once they are one', async () => {
    await world.ingest(agrees('u1'), agrees('u2'), track('sale_opened', 'u1'))
    await world.ingest({ type: 'alias', userId: 'u2', previousId: 'u1', messageId: 'alias' })
    await world.ingest(track('sale_opened', 'u2'))

    expect(world.sent).toHaveLength(1)
    expect((await suppressed()).map(({ rule }) => rule)).toEqual(['one-a-day'])
  })

  it('keep to the mix and the budget of a community', async () => {
    const people = Array.from({ length: 12 }, (_, index) => `u${index}`)
    await world.ingest(...people.flatMap((id) => [joins(id), agrees(id)]))
    await world.ingest(track('sale_opened', 'u0'))
    await world.ingest(...people.slice(0, 9).map((id) => track('order_arrived', id)))
    for (const id of people.slice(1, 5)) await world.ingest(track('sale_opened', id))

    expect(world.sent.filter((message) => message.class === 'promotion')).toHaveLength(2)
    expect((await suppressed()).map(({ rule, reason }) => [rule, reason])).toEqual([
      ['seven-three', 'mix'],
      ['estate-budget', 'budget'],
      ['estate-budget', 'budget'],
    ])
  })
})

describe('the table of policies', () => {
  it('has all that there are', () => {
    const page = readFileSync(new URL('../../docs/policies.md', import.meta.url), 'utf8')
    for (const kind of ['consent', '`quietHours`', '`cap`', '`quota`', '`mix`', '`budget`', '`control`']) {
      expect(page).toContain(`| ${kind} |`)
    }
  })
})
