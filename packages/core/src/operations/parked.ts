import { Counts } from '../delivery/counts.js'
import { Outcomes } from '../delivery/outcomes.js'
import { closed } from '../delivery/settlement.js'
import { forgetSend } from '../domain/guardrails.js'
import { subjectName } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import type { Delivery, StoreReads, StoreTransaction } from '../ports/store.js'
import type { ReceivingOptions } from '../receipts/receive.js'

/** A message of which nobody knows whether it was sent, and which may not be repeated by itself. */
export interface ParkedMessage {
  readonly deliveryKey: string
  /** `user:u-1` */
  readonly subject: string
  readonly journey: string
  readonly run: string
  readonly step: string
  readonly channel: string
  readonly template: string
  /** Why it was parked. */
  readonly reason: string
  /** When it was first called: what the provider may have taken, it took from then on. */
  readonly calledAt?: Date
  /** Since when a person is waited for; where an older release parked it, it is not known. */
  readonly parkedAt?: Date
  /** How often the provider was called, or asked. */
  readonly attempts: number
}

/** What somebody has found out of a parked message, or wants done with it. */
export type Resolution = 'sent' | 'not sent' | 'send again'

/** Who resolves it, and why: it is kept as it is said. */
export interface ResolutionNote {
  readonly by: string
  readonly reason: string
}

/** Messages that are parked, in the order in which they were planned. */
export async function listParked(store: StoreReads): Promise<readonly ParkedMessage[]> {
  return (await store.readDeliveries({ kind: 'message', state: 'parked' })).map(parkedMessage)
}

function parkedMessage({ key, subject, source, body, reason = '', attempt }: Delivery): ParkedMessage {
  const { journey, run, step } = source
  const { channel = '', what: template, firstCalledAt, parkedAt } = body
  return {
    ...{ deliveryKey: key, subject: subjectName(subject), journey, run, step, channel, template, reason },
    ...(firstCalledAt !== undefined && { calledAt: new Date(firstCalledAt) }),
    ...(parkedAt !== undefined && { parkedAt: new Date(parkedAt) }),
    attempts: attempt,
  }
}

/**
 * Resolves a parked message. Of two who do so at once, or a receipt that comes meanwhile, the first counts.
 *
 * @throws EngineError `delivery.unknown`; `delivery.settled` where it is not parked.
 */
export async function resolveParked(
  options: ReceivingOptions,
  deliveryKey: string,
  resolution: Resolution,
  { by, reason }: ResolutionNote,
): Promise<void> {
  await options.store.transaction(async (tx) => {
    const edition = await options.programs.in(tx)
    const outcomes = await Outcomes.lock(tx, options, edition, [await lockParked(tx, deliveryKey)])
    const counts = Counts.open(outcomes)
    for (const delivery of outcomes.locked) {
      const { subject, source, body } = delivery
      const { journey: rule, run, step } = source
      const details = { template: body.what, channel: body.channel, class: body.class }
      const about = { at: outcomes.now, subject: subjectName(subject), rule, run, step, ...details }
      outcomes.say({ ...about, decision: 'message.resolved', outcome: resolution, by, reason })
      if (resolution !== 'sent') {
        outcomes.replaceState(delivery, forgetSend(outcomes.subjectOf(delivery).state, delivery.key))
      }
      const recounted = resolution === 'sent' ? counts.arrived(delivery) : counts.takeBack(delivery)
      outcomes.save(resolved(recounted, resolution, outcomes.now))
      if (resolution === 'sent') outcomes.emit(delivery, 'message_accepted', details)
      if (resolution === 'not sent') outcomes.emit(delivery, 'message_rejected', { ...details, reason: 'not sent' })
    }
    await outcomes.write()
    await counts.write(tx)
  })
}

async function lockParked(tx: StoreTransaction, key: string): Promise<Delivery> {
  const [delivery] = await tx.lockNamedDeliveries([{ key }])
  if (delivery?.kind !== 'message') {
    const message = `There is no message ${JSON.stringify(key)}; see \`parked()\`.`
    throw new EngineError('delivery.unknown', message, { deliveryKey: key })
  }
  const { state } = delivery
  if (state === 'parked') return delivery
  const message = `The delivery ${JSON.stringify(key)} is "${state}", and only one that is "parked" can be resolved.`
  throw new EngineError('delivery.settled', message, { deliveryKey: key, state })
}

/** Sent again, it begins anew: as if it had never been called, but for the key. */
function resolved(delivery: Delivery, resolution: Resolution, now: number): Delivery {
  const { providerId: _, reason: __, ...rest } = delivery
  switch (resolution) {
    case 'sent':
      return {
        ...closed(rest, 'accepted'),
        ...(delivery.providerId !== undefined && { providerId: delivery.providerId }),
      }
    case 'not sent':
      return closed(rest, 'rejected', 'not sent')
    case 'send again': {
      const { firstCalledAt, maybeSent, parkedAt, again = 0, ...body } = delivery.body
      return {
        ...rest,
        state: 'retry_at',
        dueAt: now,
        attempt: 0,
        reason: resolution,
        body: { ...body, again: again + 1 },
      }
    }
  }
}
