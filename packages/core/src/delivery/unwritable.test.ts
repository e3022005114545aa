import { describe, expect, it } from 'vitest'
import { describeOnEveryStore } from '../../testing/every-store.js'
import { journey, send, template, wait } from '../../testing/rules.js'
import { group, log, shopOf, track } from '../../testing/shop.js'
import { withTransactions } from '../../testing/stores.js'
import type { Delivery, Store, StoreTransaction } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { memoryChannel } from '../testing/memory-channel.js'

const MINUTE = 60_000
const LATER = wait('later', '2d')
const REASON = 'what becomes of it cannot be written down'
const RULES = [template('hello'), journey('remind', [send('push'), LATER])]
const POISON = new TypeError('poison')

/** A store that cannot write some deliveries, or some decisions, until it is healed. */
function poisoned(
  store: Store,
  {
    delivery = () => false,
    decisions = false,
  }: { readonly delivery?: (one: Delivery) => boolean; readonly decisions?: boolean },
) {
  let isHealed = false
  const change = (tx: StoreTransaction): Partial<StoreTransaction> => ({
    saveDeliveries: (saved) => (!isHealed && saved.some(delivery) ? Promise.reject(POISON) : tx.saveDeliveries(saved)),
    addDecisions: (added) =>
      !isHealed &&
      decisions &&
      added.some(({ decision }) => decision.startsWith('message.') && decision !== 'message.planned')
        ? Promise.reject(POISON)
        : tx.addDecisions(added),
  })
  const heal = () => {
    isHealed = true
  }
  return { store: withTransactions(store, change), heal }
}

/** A process that works for some minutes, whatever goes wrong; gives what did, minute by minute. */
async function work(rules: readonly unknown[], store: Store, minutes: number) {
  const shop = shopOf(rules, { store })
  const sms = memoryChannel({ name: 'sms' })
  const engine = await shop.start({ channels: [sms] })
  await engine.ingest([{ ...group('u1', 'c1'), traits: { leaderId: 'l1' } }])
  await engine.ingest([track('cart', 'u1')])
  const failed: boolean[] = []
  const pass = async (count: number) => {
    for (let minute = 0; minute < count; minute++) {
      failed.push((await engine.settle().catch((error: unknown) => error)) !== undefined)
      shop.clock.moveTo(shop.clock.now() + MINUTE)
    }
  }
  await pass(minutes)
  return { engine, sms, failed, pass }
}

describeOnEveryStore('a message of which nothing can be written down', (open) => {
  it('is parked after five tries; its run goes on, and a decision says so', async () => {
    const { store } = poisoned(await open(), { delivery: ({ state }) => state === 'calling' })
    const { engine, sms, failed } = await work(RULES, store, 8)

    expect(failed).toEqual([true, true, true, true, true, false, false, false])
    expect(sms.calls).toEqual([])
    expect(await engine.parked()).toMatchObject([{ kind: 'message', subject: 'user:u1', reason: REASON, attempts: 0 }])
    expect(await log(engine, 'message.')).toEqual(['message.planned', `message.parked ${REASON}`])
    expect((await engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'later' }])
    expect((await engine.verify()).violations).toEqual([])
    await engine.close()
  })

  it('is not called for ever where its outcome cannot be written down, and is sent when somebody has it sent again', async () => {
    const { store, heal } = poisoned(await open(), { delivery: ({ state }) => state === 'accepted' })
    const { engine, sms, pass } = await work(RULES, store, 12)
    const [parked] = await engine.parked()
    expect(parked).toMatchObject({ reason: REASON })
    expect(sms.sent).toHaveLength(1)
    expect(sms.calls.length).toBeLessThanOrEqual(5)

    heal()
    await engine.resolve(parked?.deliveryKey ?? '', 'send again', { by: 'Li', reason: 'mended' })
    await pass(1)

    expect(await engine.deliveries()).toMatchObject([{ state: 'accepted' }])
    expect((await engine.verify()).violations).toEqual([])
    await engine.close()
  })

  it('is parked also where no decision can be written, and its run goes on when somebody has seen to it', async () => {
    const { store, heal } = poisoned(await open(), { decisions: true })
    const { engine, pass } = await work(RULES, store, 12)
    const [parked] = await engine.parked()
    expect(parked).toMatchObject({ reason: REASON })
    expect((await engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'push' }])

    heal()
    await engine.resolve(parked?.deliveryKey ?? '', 'not sent', { by: 'Li', reason: 'seen to it' })
    await pass(1)

    expect((await engine.subject('user', 'u1'))?.runs).toMatchObject([{ step: 'later' }])
    expect((await engine.verify()).violations).toEqual([])
    await engine.close()
  })
})

describe('what else a step wished for', () => {
  const OFFER = { kind: 'offer', id: 'trial', total: 9 }
  const SUGGEST = { id: 'tell', suggest: { to: 'leader', template: 'hello', expires: '9h' } }
  const OF_PLACES = journey('remind', [LATER], { limit: { max: 3 } })

  it.each([
    ['an event', 'event', [journey('remind', [{ id: 'say', emit: { event: 'said' } }, LATER])], ['user:u1 later']],
    [
      'a coupon',
      'coupon',
      [OFFER, journey('remind', [{ id: 'give', issue: { offer: 'trial' } }, LATER])],
      ['user:u1 later'],
    ],
    ['a suggestion', 'suggestion', [template('hello'), journey('remind', [SUGGEST, LATER])], ['user:u1 later']],
    ['a place', 'entry', [OF_PLACES], []],
  ])('%s: is parked after five tries, and nothing waits for it', async (_, kind, rules, standing) => {
    const isIt = (one: Delivery) => one.kind === kind && (one.state === 'accepted' || one.state === 'awaiting_person')
    const { store, heal } = poisoned(memoryStore(), { delivery: isIt })
    const { engine, failed, pass } = await work(rules, store, 8)

    expect(failed.slice(3)).toEqual([true, true, false, false, false])
    const [parked] = await engine.parked()
    expect(parked).toMatchObject({ kind, reason: REASON, subject: 'user:u1' })
    const { runs } = await engine.runs({ journey: 'remind' })
    expect(runs.map(({ subject, step }) => `${subject.join(':')} ${step}`)).toEqual(standing)
    expect((await engine.verify()).violations).toEqual([])

    heal()
    await engine.resolve(parked?.deliveryKey ?? '', 'send again', { by: 'Li', reason: 'mended' })
    await pass(1)
    const [after] = (await engine.deliveries()).filter((one) => one.kind === kind)
    expect(after?.state).toBe({ suggestion: 'awaiting_person', entry: 'suppressed' }[kind] ?? 'accepted')
    expect((await engine.verify()).violations).toEqual([])
    await engine.close()
  })
})
