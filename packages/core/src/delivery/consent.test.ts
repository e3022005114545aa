import { expect, it } from 'vitest'
import { describeOnEveryStore } from '../../testing/every-store.js'
import { journey, send, template } from '../../testing/rules.js'
import { log, shopOf, track } from '../../testing/shop.js'
import { withTransactions } from '../../testing/stores.js'
import type { LockedSubject, Store } from '../ports/store.js'
import { memoryChannel } from '../testing/memory-channel.js'

const AGREED = { kind: 'policy', id: 'agreed', consent: { classes: ['promotion'] } }
const RULES = [template('hello'), journey('remind', [send('push')]), AGREED]
const said = (
  word: 'granted' | 'withdrawn',
  messageId: string,
  properties = { channel: 'sms', class: 'promotion' },
) => {
  return { type: 'track' as const, event: `consent_${word}`, userId: 'u1', messageId, properties }
}

/** A store whose transactions that decide whether messages may leave cannot read, as long as `ask` says so. */
function unreadable(store: Store, read: (locked: readonly LockedSubject[]) => readonly LockedSubject[]): Store {
  return withTransactions(store, (tx) => {
    let isGuard = false
    const asGuard = <T>(deliveries: Promise<T>) => {
      isGuard = true
      return deliveries
    }
    return {
      claimDeliveries: (...claim) => asGuard(tx.claimDeliveries(...claim)),
      lockDeliveries: (claims) => asGuard(tx.lockDeliveries(claims)),
      lockSubjects: async (...asked) => {
        const locked = await tx.lockSubjects(...asked)
        return isGuard ? read(locked) : locked
      },
    }
  })
}

describeOnEveryStore('where consent cannot be read', (open) => {
  it.each([
    [
      'because the database does not answer',
      () => {
        throw Object.assign(new Error('the server has gone away'), { code: '57P01' })
      },
    ],
    [
      'because what is kept of it is broken',
      (locked: readonly LockedSubject[]) =>
        locked.map((one) => ({ ...one, state: { ...one.state, consent: null as never } })),
    ],
  ])('nothing is sent: %s; it is once it can be', async (_, broken) => {
    let isBroken = true
    const store = unreadable(await open(), (locked) => (isBroken ? broken(locked) : locked))
    const shop = shopOf(RULES, { store })
    const sms = memoryChannel({ name: 'sms' })
    const engine = await shop.start({ channels: [sms] })
    await engine.ingest([said('granted', 'c-1'), track('cart', 'u1')])
    for (let minute = 0; minute < 3; minute++) {
      await expect(engine.settle()).rejects.toThrow()
      shop.clock.moveTo(shop.clock.now() + 60_001)
    }
    expect(sms.calls).toEqual([])

    isBroken = false
    await engine.settle()
    expect(sms.sent).toHaveLength(1)
    await engine.close()
  })
})

describeOnEveryStore('what was said of consent', (open) => {
  it('is added to, and never overwritten: every word stays in the log, and the last stands', async () => {
    const store = await open()
    const shop = shopOf(RULES, { store })
    const sms = memoryChannel({ name: 'sms' })
    const engine = await shop.start({ channels: [sms] })
    const take = async (...events: Parameters<typeof engine.ingest>[0]) => {
      await engine.ingest(events)
      await engine.settle()
      shop.clock.moveTo(shop.clock.now() + 1000)
    }
    await take(said('granted', 'c-1'))
    await take(said('withdrawn', 'c-2'))
    // The same id with another word is no other word.
    await take({ ...said('granted', 'c-2') })
    await take(track('cart', 'u1'))
    expect(sms.calls).toEqual([])
    expect(await log(engine, 'message.suppressed')).toEqual(['message.suppressed opted out'])

    await take(said('granted', 'c-3'))
    const words = (await store.readEvents({ userIds: ['u1'] })).filter(({ event }) => event.startsWith('consent_'))
    expect(words.map(({ messageId, event, properties }) => [messageId, event, properties])).toEqual([
      ['c-1', 'consent_granted', { channel: 'sms', class: 'promotion' }],
      ['c-2', 'consent_withdrawn', { channel: 'sms', class: 'promotion' }],
      ['c-3', 'consent_granted', { channel: 'sms', class: 'promotion' }],
    ])
    await engine.close()
  })
})
