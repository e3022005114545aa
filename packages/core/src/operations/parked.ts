import { Counts } from '../delivery/counts.js'
import { Outcomes } from '../delivery/outcomes.js'
import { subjectName } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import type { Delivery, StoreReads, StoreTransaction } from '../ports/store.js'
import type { ReceivingOptions } from '../receipts/receive.js'
import { type Resolution, type ResolutionNote, resolveCoupon, resolveMessage } from './resolution.js'

/** Something of which nobody knows whether it was sent, or issued, and which may not be repeated by itself. */
export type Parked = ParkedMessage | ParkedCoupon

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

/** A coupon that its issuer may have issued. Of its pool and budget it keeps what it has taken. */
export interface ParkedCoupon extends ParkedDelivery {
  readonly kind: 'coupon'
  readonly issuer: string
  readonly offer: string
}

/** What is parked, in the order in which it was planned. */
export async function listParked(store: StoreReads): Promise<readonly Parked[]> {
  return (await store.readDeliveries({ state: 'parked' })).map(parkedOf)
}

function parkedOf({ key, kind, subject, source, body, reason = '', attempt }: Delivery): Parked {
  const { journey, run, step } = source
  const { channel = '', what, firstCalledAt, parkedAt } = body
  const named =
    kind === 'coupon' ? { kind, issuer: channel, offer: what } : { kind: 'message' as const, channel, template: what }
  return {
    ...{ deliveryKey: key, subject: subjectName(subject), journey, run, step, ...named, reason },
    ...(firstCalledAt !== undefined && { calledAt: new Date(firstCalledAt) }),
    ...(parkedAt !== undefined && { parkedAt: new Date(parkedAt) }),
    attempts: attempt,
  }
}

/**
 * Resolves a parked message or coupon. Of two who do so at once, or a receipt that comes meanwhile, the first counts.
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
      else resolveMessage(delivery, resolution, note, { outcomes, counts })
    }
    await outcomes.write()
    await counts.write(tx)
  })
}

async function lockParked(tx: StoreTransaction, key: string): Promise<Delivery> {
  const [delivery] = await tx.lockNamedDeliveries([{ key }])
  if (delivery?.kind !== 'message' && delivery?.kind !== 'coupon') {
    const message = `There is no message or coupon ${JSON.stringify(key)}; see \`parked()\`.`
    throw new EngineError('delivery.unknown', message, { deliveryKey: key })
  }
  const { state } = delivery
  if (state === 'parked') return delivery
  const message = `The delivery ${JSON.stringify(key)} is "${state}", and only one that is "parked" can be resolved.`
  throw new EngineError('delivery.settled', message, { deliveryKey: key, state })
}
