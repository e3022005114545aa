import { apartFromPoison, throwFailures } from '../poison.js'
import type { Channel } from '../ports/channel.js'
import type { Delivery, StoreTransaction } from '../ports/store.js'
import { askProvider, callInTime, TOO_LATE } from './call.js'
import { type ClearedCall, callsOf, clear } from './clear.js'
import { settleCoupons } from './coupons.js'
import type { Drafts } from './drafts.js'
import { settleEvents } from './events.js'
import { type Claim, type Cleared, clearHeld } from './guard.js'
import { type DispatcherOptions, isCalled, LEASE_MS, providerOf, type Settling } from './options.js'
import { Outcomes } from './outcomes.js'
import { settlePlaces } from './places.js'
import { DRAFTS } from './plan.js'
import { record } from './results.js'
import { settleReturns } from './returns.js'
import { type CallResult, mayRepeat } from './settlement.js'
import { UNLIMITED } from './slot.js'
import { settleSuggestions } from './suggestions.js'
import { noteFailures } from './unwritable.js'

/** How many deliveries one pass claims. */
const BATCH = 200

/** What was claimed, and the calls that were cleared with it; undefined where that is yet to be done. */
interface Taken {
  readonly claimed: readonly Delivery[]
  readonly cleared: readonly ClearedCall[] | undefined
}

/** Carries deliveries out: claims what is due, keeps to rates, asks the policies, calls the channel or the issuer, writes down what became of it. */
export class Dispatcher {
  constructor(
    private readonly options: DispatcherOptions,
    private readonly drafts: Drafts,
  ) {}

  /** Handles at most one batch of what is due. Gives how many deliveries there were. `hurried`: waits for texts that are written. */
  async dispatch(hurried = false): Promise<number> {
    const { claimed, cleared } = await this.take(await this.options.rates.room())
    if (cleared === undefined) await this.carryOut(claimed)
    else await this.callAll(cleared, (one) => callInTime({ ...one, slot: UNLIMITED, tooLate: TOO_LATE }, this.options))
    if (hurried) await this.drafts.idle()
    return claimed.length
  }

  /** Claims at most one batch of what is due; of messages by a channel that `free` names, no more than it says. */
  claim(free?: ReadonlyMap<string, number>): Promise<readonly Delivery[]> {
    return this.options.store.transaction((tx) => this.claimIn(tx, free))
  }

  private async claimIn(tx: StoreTransaction, free?: ReadonlyMap<string, number>): Promise<readonly Delivery[]> {
    const { room: texts } = this.drafts
    const room = texts === undefined ? free : new Map([...(free ?? []), [DRAFTS, texts]])
    const now = (await tx.now()) ?? this.options.clock.now()
    return tx.claimDeliveries(now, BATCH, now + LEASE_MS, room)
  }

  /** Claims a batch. Where all of it may be called at once, the policies are asked in the same transaction. */
  private async take(free: ReadonlyMap<string, number>): Promise<Taken> {
    const { store, programs, clock } = this.options
    try {
      const { claimed, cleared } = await store.transaction(async (tx) => {
        const edition = await programs.in(tx)
        const claimed = await this.claimIn(tx, free)
        const atOnce = claimed.length > 0 && claimed.every((one) => this.mayBeCalledAtOnce(one))
        return { claimed, cleared: atOnce ? await clearHeld(tx, this.options, edition, claimed) : undefined }
      })
      return { claimed, cleared: cleared && callsOf(cleared, clock.now()) }
    } catch {
      // What one of them fails by holds up no other: they are cleared apart, and fail again, alone.
      return { claimed: await this.claim(free), cleared: undefined }
    }
  }

  private mayBeCalledAtOnce(delivery: Delivery): boolean {
    return isCalled(delivery) && delivery.state === 'reserved' && !this.options.rates.has(delivery.body.channel ?? '')
  }

  /** Carries out what was claimed just now. */
  async carryOut(claimed: readonly Delivery[]): Promise<void> {
    const ofKind = (kind: Delivery['kind']) => claimed.filter((delivery) => delivery.kind === kind)
    const called = claimed.filter(isCalled)
    const reserved = called.filter((delivery) => delivery.state === 'reserved')
    const unknown = called.filter((delivery) => delivery.state === 'unknown')
    const coupons = ofKind('coupon').filter((delivery) => !isCalled(delivery))
    const parts: readonly [readonly Delivery[], (claims: readonly Delivery[]) => Promise<void> | void][] = [
      [coupons, (claims) => this.inTransaction(claims, settleCoupons)],
      [ofKind('suggestion'), (claims) => this.inTransaction(claims, settleSuggestions)],
      [ofKind('event'), (claims) => this.inTransaction(claims, settleEvents)],
      [ofKind('entry'), (claims) => this.inTransaction(claims, settlePlaces)],
      [ofKind('return'), (claims) => this.inTransaction(claims, settleReturns)],
      [ofKind('draft'), (claims) => this.drafts.begin(claims)],
      [reserved, (claims) => this.clearAndCall(claims, TOO_LATE)],
      [unknown, (claims) => this.reconcile(claims)],
    ]
    // What one kind of deliveries fails by holds up no other.
    const results: PromiseSettledResult<void>[] = []
    for (const [claims, part] of parts)
      if (claims.length > 0) results.push(...(await Promise.allSettled([part(claims)])))
    throwFailures(results)
  }

  /** Settles deliveries that nobody is called for: what comes of them is written in one transaction. */
  private async inTransaction(
    claims: readonly Delivery[],
    settle: (outcomes: Outcomes, settling: Settling) => void | Promise<void>,
  ): Promise<void> {
    const { store, programs, makeCode } = this.options
    const settleSome = (some: readonly Delivery[]) =>
      store.transaction(async (tx) => {
        const edition = await programs.in(tx)
        const outcomes = await Outcomes.lock(tx, this.options, edition, await tx.lockDeliveries(some))
        await settle(outcomes, { tx, makeCode })
        await outcomes.write()
        return []
      })
    throwFailures(await noteFailures(this.options, claims, await apartFromPoison(claims, settleSome)))
  }

  /** Asks the policies, then calls channels and issuers. `tooLate` is the result of what can no longer be called in time. */
  private async clearAndCall(claims: readonly Delivery[], tooLate: CallResult): Promise<void> {
    if (claims.length === 0) return
    const { rates } = this.options
    const slots = await rates.admit(claims)
    const slotOf = ({ key }: Claim) => slots.get(key) ?? UNLIMITED
    try {
      const admitted = claims.filter(({ key }) => slots.has(key))
      const results = await apartFromPoison(admitted, (some) => clear(this.options, some))
      const cleared = results
        .flatMap((one) => (one.status === 'fulfilled' ? (one.value ?? []) : []))
        .sort((one, other) => one.turn - other.turn)
      const keys = new Set(cleared.map(({ delivery }) => delivery.key))
      for (const one of admitted) if (!keys.has(one.key)) slotOf(one).close(false)
      await this.callAll(cleared, (one) => callInTime({ ...one, slot: slotOf(one.delivery), tooLate }, this.options))
      throwFailures(await noteFailures(this.options, admitted, results))
    } finally {
      for (const slot of slots.values()) slot.close(false)
      await Promise.all(Array.from(slots.values(), ({ closed }) => closed))
    }
  }

  /** Finds out what became of calls whose outcome is unknown, each as its channel allows. */
  private async reconcile(claims: readonly Delivery[]): Promise<void> {
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
    const written = await apartFromPoison(results, (some) => record(this.options, some))
    const claims = calls.map(({ delivery }) => delivery)
    throwFailures(await noteFailures(this.options, claims, written))
  }
}
