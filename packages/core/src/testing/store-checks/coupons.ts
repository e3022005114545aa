import assert from 'node:assert/strict'
import type { Store } from '../../ports/store.js'
import { couponOf, ODD, type StoreCheck, together, user } from './material.js'

export const couponChecks: readonly StoreCheck[] = [
  ['gives coupons back as they were issued', roundTrip],
  ['gives no more coupons than the pool has, however many take at once', neverOverIssues],
  ['keeps pools apart, and follows their totals', followsTotals],
  ['drops the pools between two names', dropsPools],
  ['puts a coupon back into the pool when the work throws', putsBack],
  ['issues one coupon for each grant, however many try at once', oncePerGrant],
  ['refuses a second coupon for a grant, and a code that is given away', refusesSecond],
  ["counts a subject's coupons of an offer", counts],
  ['finds a coupon by its code', findsByCode],
  ['completes a coupon that waited for its code, once', completes],
  ['marks a coupon as used, once however many try', redeemsOnce],
  ['forgets a coupon that goes back', removes],
  ['keeps a coupon that was used, whoever is first', keepsRedeemed],
]

async function roundTrip(store: Store): Promise<void> {
  const full = couponOf('g-1', {
    subject: { kind: 'leader', id: ODD },
    issuedAt: 1_700_000_000_123,
    coupon: { offer: ODD, name: ODD, code: ODD, value: 5.5, expiresAt: '2026-12-01T00:00:00.000Z' },
  })
  await store.transaction(async (tx) => {
    await tx.addCoupon(full)
    await tx.addCoupon(couponOf(ODD))
  })
  await store.transaction(async (tx) => {
    assert.deepEqual(await tx.readCoupons(['g-1', 'stranger']), [full])
    assert.deepEqual(await tx.readCoupons([ODD]), [couponOf(ODD)])
    assert.deepEqual(await tx.readCoupons([]), [])
  })
}

async function neverOverIssues(store: Store): Promise<void> {
  const answers = await together(16, () => together(4, () => store.transaction((tx) => tx.takeFromPool('fruit', 10))))
  assert.equal(answers.flat().filter(Boolean).length, 10)
  assert.deepEqual([...(await store.readPools())], [['fruit', { issued: 10, total: 10 }]])
}

async function followsTotals(store: Store): Promise<void> {
  const take = (offer: string, total: number) => store.transaction((tx) => tx.takeFromPool(offer, total))
  assert.equal(await take('none', 0), false)
  assert.equal(await take('fruit', 1), true)
  assert.equal(await take('fruit', 1), false)
  assert.equal(await take(ODD, 1), true)
  assert.equal(await take('fruit', 3), true, 'The total was raised.')
  assert.equal(await take('fruit', 1), false, 'The total was lowered below what is issued.')
  assert.equal(await take('fruit', 3), true)
  assert.equal(await take('fruit', 3), false)
  const pools = await store.readPools()
  assert.deepEqual(pools.get('fruit'), { issued: 3, total: 3 })
  assert.equal(pools.get(ODD)?.issued, 1)
}

async function dropsPools(store: Store): Promise<void> {
  const names = ['entry:j', 'entry:j-2', 'entry:j/2026-03-01', 'entry:j/2026-03-02', 'entry:j/2026-03-03', 'fruit']
  await store.transaction(async (tx) => {
    for (const name of names) assert.equal(await tx.takeFromPool(name, 1), true)
  })
  await store.transaction((tx) => tx.dropPools('entry:j/', 'entry:j/2026-03-03'))
  const left = ['entry:j', 'entry:j-2', 'entry:j/2026-03-03', 'fruit']
  assert.deepEqual([...(await store.readPools()).keys()].sort(), left)
  assert.equal(await store.transaction((tx) => tx.takeFromPool('entry:j/2026-03-01', 1)), true)
}

async function putsBack(store: Store): Promise<void> {
  const work = store.transaction(async (tx) => {
    assert.equal(await tx.takeFromPool('fruit', 1), true)
    throw new Error('The work gives up.')
  })
  await assert.rejects(work)
  assert.equal(await store.transaction((tx) => tx.takeFromPool('fruit', 1)), true)
}

async function oncePerGrant(store: Store): Promise<void> {
  const codes = await together(8, (index) =>
    store.transaction(async (tx) => {
      const [known] = await tx.readCoupons(['g-1'])
      if (known !== undefined) return known.coupon.code
      if (!(await tx.takeFromPool('fruit', 5))) return undefined
      const coupon = couponOf('g-1', { coupon: { offer: 'fruit', name: 'n', code: `code-${index}` } })
      await tx.addCoupon(coupon)
      return coupon.coupon.code
    }),
  )
  assert.equal(new Set(codes).size, 1, `All must get the one coupon; they got ${codes.join(', ')}.`)
  assert.deepEqual((await store.readPools()).get('fruit'), { issued: 1, total: 5 })
}

async function refusesSecond(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addCoupon(couponOf('g-1')))
  const isConflict = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'database.conflict'
  const sameGrant = couponOf('g-1', { coupon: { offer: 'fruit', name: 'n', code: 'another' } })
  await assert.rejects(
    store.transaction((tx) => tx.addCoupon(sameGrant)),
    isConflict,
  )
  const sameCode = couponOf('g-2', { coupon: { offer: 'fruit', name: 'n', code: 'code-g-1' } })
  await assert.rejects(
    store.transaction((tx) => tx.addCoupon(sameCode)),
    isConflict,
  )
  assert.deepEqual(await store.transaction((tx) => tx.readCoupons(['g-1', 'g-2'])), [couponOf('g-1')])
}

async function counts(store: Store): Promise<void> {
  const other = { offer: 'rice', name: 'n', code: 'rice-1' }
  await store.transaction(async (tx) => {
    await tx.addCoupon(couponOf('g-1'))
    await tx.addCoupon(couponOf('g-2'))
    await tx.addCoupon(couponOf('g-3', { coupon: other }))
    await tx.addCoupon(couponOf('g-4', { subject: { kind: 'leader', id: 'u-1' } }))
  })
  await store.transaction(async (tx) => {
    assert.equal(await tx.countCoupons([user('u-1')], 'fruit'), 2)
    assert.equal(await tx.countCoupons([user('u-1')], 'rice'), 1)
    assert.equal(await tx.countCoupons([{ kind: 'leader', id: 'u-1' }], 'fruit'), 1)
    assert.equal(await tx.countCoupons([user('stranger')], 'fruit'), 0)
    assert.equal(await tx.countCoupons([user('u-1'), user('stranger'), { kind: 'leader', id: 'u-1' }], 'fruit'), 3)
  })
}

async function findsByCode(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.addCoupon(couponOf('g-1', { coupon: { offer: 'fruit', name: 'n', code: ODD } }))
    await tx.addCoupon(couponOf('g-2'))
    await tx.addCoupon(couponOf('g-3', { coupon: { offer: 'fruit', name: 'n', code: '' } }))
    await tx.addCoupon(couponOf('g-4', { coupon: { offer: 'fruit', name: 'n', code: '' } }))
    assert.equal((await tx.couponByCode('code-g-2'))?.grantKey, 'g-2')
  })
  await store.transaction(async (tx) => {
    assert.equal((await tx.couponByCode(ODD))?.grantKey, 'g-1')
    assert.equal(await tx.couponByCode('CODE-G-2'), undefined)
    assert.equal(await tx.couponByCode(''), undefined)
    assert.equal(await tx.countCoupons([user('u-1')], 'fruit'), 4)
  })
}

async function completes(store: Store): Promise<void> {
  const waiting = couponOf('g-1', { coupon: { offer: 'fruit', name: 'n', code: '' } })
  const coupon = { offer: 'fruit', name: 'n', code: 'theirs', value: 3 }
  await store.transaction((tx) => tx.addCoupon(waiting))
  await store.transaction((tx) => tx.completeCoupon('g-1', coupon))
  assert.deepEqual(await store.transaction((tx) => tx.couponByCode('theirs')), { ...waiting, coupon })
  await assert.rejects(store.transaction((tx) => tx.completeCoupon('g-1', { ...coupon, code: 'another' })))
  await store.transaction((tx) => tx.addCoupon(couponOf('g-2', { coupon: { offer: 'fruit', name: 'n', code: '' } })))
  await assert.rejects(
    store.transaction((tx) => tx.completeCoupon('g-2', coupon)),
    'A code is that of one coupon.',
  )
}

async function redeemsOnce(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addCoupon(couponOf('g-1')))
  const answers = await together(8, (index) =>
    store.transaction((tx) => tx.redeemCoupon('g-1', { at: 2000, by: `till-${index}` })),
  )
  assert.equal(answers.filter(Boolean).length, 1)
  const [coupon] = await store.transaction((tx) => tx.readCoupons(['g-1']))
  assert.deepEqual(coupon?.redeemed, { at: 2000, by: `till-${answers.indexOf(true)}` })
  assert.equal(await store.transaction((tx) => tx.redeemCoupon('stranger', { at: 1 })), false)
}

async function removes(store: Store): Promise<void> {
  await store.transaction((tx) => tx.addCoupon(couponOf('g-1')))
  assert.equal(await store.transaction((tx) => tx.removeCoupon('g-1')), true)
  assert.equal(await store.transaction((tx) => tx.removeCoupon('g-1')), false)
  await store.transaction(async (tx) => {
    assert.equal(await tx.couponByCode('code-g-1'), undefined)
    assert.equal(await tx.countCoupons([user('u-1')], 'fruit'), 0)
    await tx.addCoupon(couponOf('g-2', { coupon: { offer: 'fruit', name: 'n', code: 'code-g-1' } }))
    assert.equal(await tx.countCoupons([user('u-1')], 'fruit'), 1)
  })
}

async function keepsRedeemed(store: Store): Promise<void> {
  const grants = ['g-1', 'g-2', 'g-3', 'g-4']
  await store.transaction(async (tx) => {
    for (const grant of grants) await tx.addCoupon(couponOf(grant))
  })
  const done = await together(grants.length, (index) => {
    const grant = grants[index] ?? ''
    return Promise.all([
      store.transaction((tx) => tx.redeemCoupon(grant, { at: 2000 })),
      store.transaction((tx) => tx.removeCoupon(grant)),
    ])
  })
  for (const [redeemed, removed] of done)
    assert.notEqual(redeemed, removed, 'One of the two has happened, and not both.')
  assert.equal(await store.transaction((tx) => tx.redeemCoupon('g-1', { at: 2000 })), false)
  assert.equal(await store.transaction((tx) => tx.removeCoupon('g-1')), false)
}
