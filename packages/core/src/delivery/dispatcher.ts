import type { Channel } from '../ports/channel.js'
import type { Delivery } from '../ports/store.js'
import { askProvider, callInTime, TOO_LATE } from './call.js'
import { settleCoupons } from './coupons.js'
import { settleEvents } from './events.js'
import { type Claim, type Cleared, clear } from './guard.js'
import { type DispatcherOptions, isCalled, LEASE_MS, providerOf, type Settling } from './options.js'
import { Outcomes } from './outcomes.js'
import { settlePlaces } from './places.js'
import { recordResults } from './results.js'
import { type CallResult, mayRepeat } from './settlement.js'
import { UNLIMITED } from './slot.js'
import { settleSuggestions } from './suggestions.js'

/** How many deliveries one pass claims. */
const BATCH = 200

/** Carries deliveries out: claims what is due, keeps to rates, asks the policies, calls the channel or the issuer, writes down what became of it. */
export class Dispatcher {
  constructor(private readonly options: DispatcherOptions) {}

  /** Handles at most one batch of what is due. Gives how many deliveries there were. */
  async dispatch(): Promise<number> {
    const claimed = await this.claim(await this.options.rates.room())
    await this.carryOut(claimed)
    return claimed.length
  }

  /** Claims at most one batch of what is due; of messages by a channel that `room` names, no more than it says. */
  claim(room?: ReadonlyMap<string, number>): Promise<readonly Delivery[]> {
    const { store, clock } = this.options
    return store.transaction(async (tx) => {
      const now = (await tx.now()) ?? clock.now()
      return tx.claimDeliveries(now, BATCH, now + LEASE_MS, room)
    })
  }

  /** Carries out what was claimed just now. */
  async carryOut(claimed: readonly Delivery[]): Promise<void> {
    const ofKind = (kind: Delivery['kind']) => claimed.filter((delivery) => delivery.kind === kind)
    const called = claimed.filter(isCalled)
    const reserved = called.filter((delivery) => delivery.state === 'reserved')
    const unknown = called.filter((delivery) => delivery.state === 'unknown')
    await this.inTransaction(
      ofKind('coupon').filter((delivery) => !isCalled(delivery)),
      settleCoupons,
    )
    await this.inTransaction(ofKind('suggestion'), settleSuggestions)
    await this.inTransaction(ofKind('event'), settleEvents)
    await this.inTransaction(ofKind('entry'), settlePlaces)
    await this.clearAndCall(reserved, TOO_LATE)
    await this.reconcile(unknown)
  }

  /** Settles deliveries that nobody is called for: what comes of them is written in one transaction. */
  private async inTransaction(
    claims: readonly Delivery[],
    settle: (outcomes: Outcomes, settling: Settling) => void | Promise<void>,
  ): Promise<void> {
    const { store, programs, makeCode } = this.options
    if (claims.length === 0) return
    await store.transaction(async (tx) => {
      const edition = await programs.in(tx)
      const outcomes = await Outcomes.lock(tx, this.options, edition, await tx.lockDeliveries(claims))
      await settle(outcomes, { tx, makeCode })
      await outcomes.write()
    })
  }

  /** Asks the policies, then calls channels and issuers. `tooLate` is the result of what can no longer be called in time. */
  private async clearAndCall(claims: readonly Delivery[], tooLate: CallResult): Promise<void> {
    if (claims.length === 0) return
    const { store, clock, rates } = this.options
    const slots = await rates.admit(claims)
    const slotOf = ({ key }: Claim) => slots.get(key) ?? UNLIMITED
    try {
      const admitted = claims.filter(({ key }) => slots.has(key))
      const cleared = await store.transaction((tx) => clear(tx, this.options, admitted))
      // The clearance is committed: from here a crash leaves `calling`, which is taken for unknown and never for not sent.
      const clearedAt = clock.now()
      const keys = new Set(cleared.map(({ delivery }) => delivery.key))
      for (const one of admitted) if (!keys.has(one.key)) slotOf(one).close(false)
      await this.callAll(cleared, (one) =>
        callInTime({ ...one, clearedAt, slot: slotOf(one.delivery), tooLate }, this.options),
      )
    } finally {
      for (const slot of slots.values()) slot.close(false)
      await Promise.all(Array.from(slots.values(), ({ closed }) => closed))
    }
  }

  /** Finds out what became of calls whose outcome is unknown, each as its channel allows. */
  private async reconcile(claims: readonly Delivery[]): Promise<void> {
    if (claims.length === 0) return
    const { clock } = this.options
    const now = clock.now()
    const ofRepeat = (wanted: Channel['repeat']['kind']) =>
      claims.filter((delivery) => {
        const repeat = providerOf(delivery, this.options)?.repeat ?? { kind: 'none' }
        return (mayRepeat(delivery, repeat, now) ? repeat.kind : 'none') === wanted
      })
    await this.callAll(
      ofRepeat('queryable').map((delivery) => ({ delivery })),
      ({ delivery }) => askProvider(delivery, this.options),
    )
    await this.callAll(
      ofRepeat('none').map((delivery) => ({ delivery })),
      () => Promise.resolve({ status: 'unknown' }),
    )
    await this.clearAndCall(ofRepeat('idempotent'), { status: 'unknown' })
  }

  private async callAll<T extends Pick<Cleared, 'delivery'>>(
    calls: readonly T[],
    call: (one: T) => Promise<CallResult>,
  ): Promise<void> {
    if (calls.length === 0) return
    const results = await Promise.all(calls.map(async (one) => ({ delivery: one.delivery, result: await call(one) })))
    await this.options.store.transaction((tx) => recordResults(tx, this.options, results))
  }
}
