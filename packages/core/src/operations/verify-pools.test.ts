import { describe, expect, it } from 'vitest'
import { journey, send, template } from '../../testing/rules.js'
import { shopOf, track } from '../../testing/shop.js'
import { withTransactions } from '../../testing/stores.js'
import type { Store, StoreTransaction } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { delegate } from '../testing/delegate.js'
import { memoryChannel } from '../testing/memory-channel.js'
import { memoryIssuer } from '../testing/memory-issuer.js'

const OFFER = { kind: 'offer', id: 'sale', codes: 'given', value: 5, budget: { money: 10, within: '30d' } }
const RULES = [OFFER, journey('sale', [{ id: 'coupon', issue: { offer: 'sale' } }])]

/** A shop that has given two coupons with codes of its own, one for each of two people, over a store that did `damage`. */
async function found(damage: (tx: StoreTransaction) => Partial<StoreTransaction>, reads: Partial<Store> = {}) {
  const shop = shopOf(RULES, { store: withTransactions(memoryStore(), damage) })
  const engine = await shop.start({ onError: () => undefined })
  await engine.addCodes('sale', ['SECRET-1', 'SECRET-2', 'SECRET-3'])
  await engine.ingest([track('cart', 'u1'), track('cart', 'u2')])
  await engine.settle()
  const watcher = await shop.start({ database: delegate<Store>(shop.store, reads) })
  const { violations } = await watcher.verify()
  await watcher.close()
  await engine.close()
  expect(JSON.stringify(violations)).not.toContain('SECRET')
  return violations.map(({ invariant, subject }) => [invariant, subject])
}

describe('verify, of coupons', () => {
  it('finds nothing where all is as it must be', async () => {
    expect(await found(() => ({}))).toEqual([])
  })

  it('finds a coupon that was issued and that nobody has', async () => {
    const damage = (tx: StoreTransaction): Partial<StoreTransaction> => ({
      addCoupon: async (coupon) => {
        if (coupon.subject.id !== 'u1') await tx.addCoupon(coupon)
      },
    })
    expect(await found(damage)).toEqual([['coupon.lost', 'user:u1']])
  })

  it('finds a coupon that was refused and is kept all the same', async () => {
    const rules = [
      { ...OFFER, codes: undefined, issuer: 'pay' },
      journey('sale', [{ id: 'coupon', issue: { offer: 'sale' } }]),
    ]
    const damage = () => ({ removeCoupon: async () => false })
    const shop = shopOf(rules, { store: withTransactions(memoryStore(), damage) })
    const pay = memoryIssuer({ name: 'pay', outcome: { status: 'refused', reason: 'other' } })
    const engine = await shop.start({ issuers: [pay] })
    await engine.ingest([track('cart', 'u1')])
    await engine.settle()

    const { violations } = await engine.verify()

    expect(violations.map(({ invariant, subject }) => [invariant, subject])).toEqual([['coupon.kept', 'user:u1']])
    await engine.close()
  })

  it('finds a code that two people have', async () => {
    const damage = (tx: StoreTransaction): Partial<StoreTransaction> => ({
      couponsOf: async (keys) =>
        (await tx.couponsOf(keys)).map((one) => ({ ...one, coupon: { ...one.coupon, code: 'SECRET-1' } })),
    })
    expect(await found(damage)).toEqual([['coupon.code-repeated', expect.stringMatching(/^user:u[12]$/)]])
  })

  it('finds codes and coupons that no pool knows of', async () => {
    const damage = (tx: StoreTransaction): Partial<StoreTransaction> => ({
      takeFromPool: async (offer, total) => {
        await tx.takeFromPool(offer, total)
        await tx.returnToPool(offer)
        return true
      },
    })
    expect(await found(damage)).toEqual(Array(2).fill(['coupon.miscounted', undefined]))
  })

  it('finds a code that was given away without a coupon of the pool', async () => {
    const damage = (tx: StoreTransaction): Partial<StoreTransaction> => ({
      takeCode: async (offer) => {
        await tx.takeCode(offer)
        return tx.takeCode(offer)
      },
    })
    expect(await found(damage)).toContainEqual(['coupon.miscounted', undefined])
  })

  it('finds a budget that is exceeded', async () => {
    const damage = (tx: StoreTransaction): Partial<StoreTransaction> => ({
      spend: (offer, spending) => tx.spend(offer, { ...spending, amount: spending.amount * 2, limit: Infinity }),
    })
    expect(await found(damage)).toEqual([['coupon.over-budget', undefined]])
  })

  it('finds a message that tells the code of a coupon that went back', async () => {
    const rules = [
      { kind: 'offer', id: 'sale', codes: 'given', returns: 'unsent' },
      template('hello', '{{ coupon.code }}'),
      journey('sale', [{ id: 'coupon', issue: { offer: 'sale' } }, send('push')]),
    ]
    const shop = shopOf(rules)
    const engine = await shop.start({ channels: [memoryChannel({ name: 'sms', outcome: REFUSED })] })
    await engine.addCodes('sale', ['SECRET-1'])
    await engine.ingest([track('cart', 'u1')])
    await engine.settle()
    expect((await engine.verify()).violations).toEqual([])

    const [message] = (await engine.deliveries()).filter(({ kind }) => kind === 'message')
    if (message === undefined) throw new Error('no message was planned')
    await shop.store.transaction((tx) => tx.saveDeliveries([{ ...message, state: 'accepted' }]))

    const { violations } = await engine.verify()
    expect(violations).toEqual([expect.objectContaining({ invariant: 'coupon.told', subject: 'user:u1' })])
    expect(JSON.stringify(violations)).not.toContain('SECRET')
  })
})

const REFUSED = { status: 'refused', reason: 'content' } as const
