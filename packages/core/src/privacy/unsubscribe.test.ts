import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { MESSAGE_CLASSES } from '@linli/rules'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { journey, send, template } from '../../testing/rules.js'
import { identify, shopOf, track, worldOf } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import type { IncomingEvent } from '../ingest/event.js'
import { memoryChannel } from '../testing/memory-channel.js'
import { UnsubscribeTokens } from './unsubscribe.js'

const newSecret = () => randomBytes(32).toString('base64url')
const unsubscribe = new UnsubscribeTokens(newSecret())
const about = { userId: 'u1', channel: 'sms', class: 'promotion' } as const
const notOurs = expect.objectContaining({ code: 'unsubscribe.token' })

const LINK = template('hello', '退订 https://shop.example/u?t={{ unsubscribe.token }}')
const byClass = (name: string) =>
  journey(`by-${name}`, [send('push', { class: name })], { entry: { on: 'event', event: name }, reentry: 'always' })
const RULES = [LINK, ...MESSAGE_CLASSES.map(byClass)]

async function shop() {
  const { clock, store, start } = shopOf(RULES)
  const sms = memoryChannel({ name: 'sms' })
  const engine = await start({ channels: [sms], unsubscribe })
  const say = async (...events: readonly IncomingEvent[]) => {
    await engine.ingest(events)
    await engine.settle()
  }
  const tokens = () => sms.sent.map(({ content }) => content.body.split('t=')[1] ?? '')
  return { engine, clock, store, start, sms, say, tokens }
}

const withdrawals = async (engine: Engine) => (await engine.subject('user', 'u1'))?.consent ?? {}

describe('an unsubscribe token', () => {
  it('tells whom and what it is about, and fits into a link as it is', () => {
    const who = fc.record({
      userId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 255 }),
      channel: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
      class: fc.constantFrom(...MESSAGE_CLASSES),
    })
    fc.assert(
      fc.property(who, (one) => {
        const token = unsubscribe.tokenFor(one)
        expect(token).toBe(encodeURIComponent(token))
        expect(unsubscribe.read(token)).toEqual(one)
      }),
    )
  })

  it('cannot be made or changed by who has no secret', () => {
    const token = unsubscribe.tokenFor(about)
    const [said = '', signature = ''] = token.split('.')
    const forged = Buffer.from(JSON.stringify(['u2', 'sms', 'promotion'])).toString('base64url')
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'A' ? 'B' : 'A'
      // The last character has bits that say nothing.
      if (at === token.length - 1) continue
      expect(() => unsubscribe.read(token.slice(0, at) + other + token.slice(at + 1))).toThrow(notOurs)
    }
    const others = ['', '.', said, `${said}.`, `.${signature}`, `${forged}.${signature}`, `${token}.`, `${token}.x`]
    for (const one of [...others, 'x'.repeat(1_000_000), undefined as unknown as string]) {
      expect(() => unsubscribe.read(one)).toThrow(notOurs)
    }
    expect(() => unsubscribe.read(new UnsubscribeTokens(newSecret()).tokenFor(about))).toThrow(notOurs)
  })

  it('stays good while its secret is in the list, whichever signs now', () => {
    const [old, current] = [newSecret(), newSecret()]
    const token = new UnsubscribeTokens(old).tokenFor(about)
    const rotated = new UnsubscribeTokens([current, old])
    expect(rotated.read(token)).toEqual(about)
    expect(new UnsubscribeTokens(current).read(rotated.tokenFor(about))).toEqual(about)
    expect(() => new UnsubscribeTokens(current).read(token)).toThrow(notOurs)
  })

  it('needs a secret that cannot be guessed, and never shows it', () => {
    for (const secrets of ['', 'canary', [], [newSecret(), 'canary']]) {
      const make = () => new UnsubscribeTokens(secrets)
      expect(make).toThrow(expect.objectContaining({ code: 'unsubscribe.secret' }))
      expect(make).not.toThrow('canary')
    }
    const secret = newSecret()
    const tokens = new UnsubscribeTokens(secret)
    const shown = [String(tokens), JSON.stringify({ tokens }), inspect({ tokens }, { showHidden: true, depth: 9 })]
    for (const text of shown) {
      expect(text).toContain('[redacted]')
      expect(text).not.toContain(secret)
    }
  })
})

describe('a message with an unsubscribe link', () => {
  it('has a token for its recipient, channel and class', async () => {
    const { say, tokens } = await shop()
    await say(track('promotion', 'u1'), track('service', 'u2'))
    expect(tokens().map((token) => unsubscribe.read(token))).toEqual([
      about,
      { ...about, userId: 'u2', class: 'service' },
    ])
  })

  it('is not begun with where there are no secrets', async () => {
    const channels = [memoryChannel({ name: 'sms' })]
    const refused = { code: 'unsubscribe.missing', message: expect.stringContaining('Template "hello"') }
    await expect(shopOf(RULES).start({ channels })).rejects.toMatchObject(refused)
  })

  it('can be tried in worlds and simulations without secrets', async () => {
    const world = await worldOf(RULES)
    await world.ingest(track('promotion', 'u1'))
    expect(world.sent.map(({ content }) => content.body)).toEqual([expect.stringMatching(/\?t=[\w-]+\.[\w-]+$/)])
    await world.close()
  })
})

describe('who unsubscribes', () => {
  it('gets no more of this class by this channel, and everything else', async () => {
    const { engine, say, sms, tokens } = await shop()
    await say(track('promotion', 'u1'))

    expect(await engine.unsubscribe(tokens()[0] ?? '')).toEqual(about)

    await say(track('promotion', 'u1'), track('service', 'u1'), track('promotion', 'u2'))
    expect(sms.sent.map(({ to, class: name }) => `${to.id} ${name}`).sort()).toEqual([
      'u1 promotion',
      'u1 service',
      'u2 promotion',
    ])
    expect(await withdrawals(engine)).toEqual({ 'sms|promotion': false })
  })

  it('does so once, however often the link is used, and again after having agreed again', async () => {
    const { engine, clock, store, say, sms } = await shop()
    const token = unsubscribe.tokenFor(about)
    await Promise.all([engine.unsubscribe(token), engine.unsubscribe(token), engine.unsubscribe(token)])
    await engine.unsubscribe(token)
    expect(await store.readEvents({ userIds: ['u1'] })).toHaveLength(1)

    clock.moveTo(clock.now() + 1_000)
    await say(track('consent_granted', 'u1'), track('promotion', 'u1'))
    expect(sms.sent).toHaveLength(1)

    clock.moveTo(clock.now() + 1_000)
    await engine.unsubscribe(token)
    await say(track('promotion', 'u1'))
    expect(sms.sent).toHaveLength(1)
  })

  it('stops a message that is on its way to be sent', async () => {
    const { engine, sms } = await shop()
    await engine.ingest([track('promotion', 'u1')])
    await engine.unsubscribe(unsubscribe.tokenFor(about))
    await engine.settle()
    expect(sms.sent).toEqual([])
    expect(await engine.deliveries()).toMatchObject([{ state: 'suppressed', reason: 'opted out' }])
  })

  it('changes nothing by looking', async () => {
    const { engine, store, say, tokens } = await shop()
    await say(track('promotion', 'u1'))
    const before = await store.readEvents({ userIds: ['u1'] })
    unsubscribe.read(tokens()[0] ?? '')
    expect(await store.readEvents({ userIds: ['u1'] })).toEqual(before)
    expect(await withdrawals(engine)).toEqual({})
  })

  it('is found by a link of before: as a visitor, by an openid, or under an id that turned out to be another', async () => {
    const known = { externalIds: [{ type: 'openid', id: 'o:1' }] }
    const { engine, clock, say, tokens } = await shop()
    await say(
      { event: 'promotion', anonymousId: 'a1', messageId: 'one' },
      { event: 'promotion', context: known, messageId: 'two' },
      track('promotion', 'old'),
    )
    const names = tokens().map((token) => unsubscribe.read(token).userId)
    expect(names.sort()).toEqual(['anon:a1', 'id:openid:o:1', 'old'])
    await say({ ...identify('u1'), anonymousId: 'a1', context: known })
    await say({ type: 'alias', userId: 'u1', previousId: 'old', messageId: 'three' })

    for (const token of tokens()) {
      await engine.unsubscribe(token)
      expect(await withdrawals(engine)).toEqual({ 'sms|promotion': false })
      clock.moveTo(clock.now() + 1_000)
      await say(track('consent_granted', 'u1', { channel: 'sms', class: 'promotion' }))
    }
  })

  it('and was erased is left in peace', async () => {
    const { engine, say, tokens } = await shop()
    await say(track('promotion', 'u1'))
    await engine.erasePerson('u1')
    expect(await engine.unsubscribe(tokens()[0] ?? '')).toEqual(about)
    expect(await engine.subject('user', 'u1')).toBeUndefined()
  })

  it('by a token that is not ours changes nothing', async () => {
    const { engine } = await shop()
    const token = new UnsubscribeTokens(newSecret()).tokenFor(about)
    await expect(engine.unsubscribe(token)).rejects.toMatchObject({ code: 'unsubscribe.token' })
    expect(await engine.subject('user', 'u1')).toBeUndefined()
  })
})
