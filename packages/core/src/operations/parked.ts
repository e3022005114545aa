import { Counts } from '../delivery/counts.js'
import { Outcomes } from '../delivery/outcomes.js'
import { subjectName } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import type { Delivery, StoreReads, StoreTransaction } from '../ports/store.js'
import type { ReceivingOptions } from '../receipts/receive.js'
import { type Resolution, type ResolutionNote, resolveCoupon, resolveMessage, resolveWish } from './resolution.js'

/** Something of which nobody knows whether it was sent, or issued, and which may not be repeated by itself; or what cannot be written down. */
export type Parked = ParkedMessage | ParkedCoupon | ParkedWish

interface ParkedDelivery {
  readonly deliveryKey: string
  /** `user:u-1` */
  readonly subject: string
  readonly journey: string
  readonly run: string
  readonly step: string
  /** Why it was parked. */
  readonly reason: string
  /** When it was first called: what the provider may have taken, it took from then on. */
  readonly calledAt?: Date
  /** Since when a person is waited for; where an older release parked it, it is not known. */
  readonly parkedAt?: Date
  /** How often the provider was called, or asked. */
  readonly attempts: number
}

export interface ParkedMessage extends ParkedDelivery {
  readonly kind: 'message'
  readonly channel: string
  readonly template: string
}

/** A coupon that its issuer may have issued: of its pool and budget it keeps what it has taken. Or one that cannot be written down. */
export interface ParkedCoupon extends ParkedDelivery {
  readonly kind: 'coupon'
  /** Left out: linli. */
  readonly issuer?: string
  readonly offer: string
}

/** What a step wished for, and what cannot be written down: its run has gone on without it. */
export interface ParkedWish extends ParkedDelivery {
  readonly kind: Exclude<Delivery['kind'], 'message' | 'coupon'>
  /** The suggestion's template, the event's name, the journey whose place was wanted, the offer whose coupon was to go back. */
  readonly what: string
}

/** What is parked, in the order in which it was planned. */
export async function listParked(store: StoreReads): Promise<readonly Parked[]> {
  return (await store.readDeliveries({ state: 'parked' })).map(parkedOf)
}

function parkedOf(delivery: Delivery): Parked {
  const { key, subject, source, body, reason = '', attempt } = delivery
  const { journey, run, step } = source
  const { firstCalledAt, parkedAt } = body
  return {
    ...{ deliveryKey: key, subject: subjectName(subject), journey, run, step, ...named(delivery), reason },
    ...(firstCalledAt !== undefined && { calledAt: new Date(firstCalledAt) }),
    ...(parkedAt !== undefined && { parkedAt: new Date(parkedAt) }),
    attempts: attempt,
  }
}

function named({ kind, body: { what, channel } }: Delivery) {
  if (kind === 'message') return { kind, channel: channel ?? '', template: what }
  if (kind === 'coupon') return { kind, offer: what, ...(channel !== undefined && { issuer: channel }) }
  return { kind, what }
}

/**
 * Resolves what is parked. Of two who do so at once, or a receipt that comes meanwhile, the first counts.
 *
 * @throws EngineError `delivery.unknown`; `delivery.settled` where it is not parked; `code.invalid` where a coupon was sent and
 * its code is not said or is another's, or where a code is said of anything else.
 */
export async function resolveParked(
  options: ReceivingOptions,
  deliveryKey: string,
  resolution: Resolution,
  note: ResolutionNote,
): Promise<void> {
  await options.store.transaction(async (tx) => {
    const edition = await options.programs.in(tx)
    const outcomes = await Outcomes.lock(tx, options, edition, [await lockParked(tx, deliveryKey)])
    const counts = Counts.open(outcomes)
    for (const delivery of outcomes.locked) {
      if (delivery.kind === 'coupon') await resolveCoupon(tx, delivery, resolution, note, outcomes)
      else if (delivery.kind === 'message') resolveMessage(delivery, resolution, note, { outcomes, counts })
      else resolveWish(delivery, resolution, note, outcomes)
    }
    await outcomes.write()
    await counts.write(tx)
  })
}

async function lockParked(tx: StoreTransaction, key: string): Promise<Delivery> {
  const [delivery] = await tx.lockNamedDeliveries([{ key }])
  if (delivery === undefined) {
    const message = `There is no delivery ${JSON.stringify(key)}; see \`parked()\`.`
    throw new EngineError('delivery.unknown', message, { deliveryKey: key })
  }
  const { state } = delivery
  if (state === 'parked') return delivery
  const message = `The delivery ${JSON.stringify(key)} is "${state}", and only one that is "parked" can be resolved.`
  throw new EngineError('delivery.settled', message, { deliveryKey: key, state })
}
