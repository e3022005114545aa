import { atHand, Counts } from '../delivery/counts.js'
import type { DispatcherOptions } from '../delivery/options.js'
import { Outcomes } from '../delivery/outcomes.js'
import { closed } from '../delivery/settlement.js'
import { forgetSend, restoreSend } from '../domain/guardrails.js'
import { subjectName } from '../domain/subject.js'
import type { Delivery, DeliveryName, StoreTransaction } from '../ports/store.js'
import { hasSaid, isOpen, isUnderWay, judge, saysArrived } from './judge.js'
import {
  type Receipt,
  type ReceiptAtHand,
  type ReceiptRefusal,
  type ReceiptReport,
  type ReceiptResult,
  readReceipt,
} from './receipt.js'

/** How many receipts share a transaction. */
const BATCH = 500

export type ReceivingOptions = Pick<DispatcherOptions, 'store' | 'programs' | 'clock'>

/** Takes receipts in, each with its own result. With `tx`, in that transaction. */
export async function receive(
  receipts: readonly Receipt[],
  options: ReceivingOptions,
  tx?: StoreTransaction,
): Promise<ReceiptReport> {
  const results: ReceiptResult[] = []
  for (let start = 0; start < receipts.length; start += BATCH) {
    const batch = receipts.slice(start, start + BATCH)
    const take = (within: StoreTransaction) => takeIn(within, options, batch)
    results.push(...(tx === undefined ? await options.store.transaction(take) : await take(tx)))
  }
  const count = (wanted: ReceiptResult['status']) => results.filter(({ status }) => status === wanted).length
  return { accepted: count('accepted'), duplicates: count('duplicate'), rejected: count('rejected'), results }
}

async function takeIn(
  tx: StoreTransaction,
  options: ReceivingOptions,
  receipts: readonly unknown[],
): Promise<readonly ReceiptResult[]> {
  const edition = await options.programs.in(tx)
  const clockNow = (await tx.now()) ?? options.clock.now()
  const read = receipts.map((receipt) => readReceipt(receipt, clockNow))
  const found = await find(
    tx,
    read.flatMap((one) => ('name' in one ? [one.name] : [])),
  )
  const outcomes = await Outcomes.lock(tx, options, edition, found.deliveries)
  const now = new Map(outcomes.locked.map((delivery) => [delivery.key, delivery]))
  const results = read.map((one): ReceiptResult => {
    const key = 'code' in one ? one : found.keyOf(one.name)
    if (typeof key !== 'string') {
      if (key === AMBIGUOUS && 'name' in one) tellAmbiguous(one, now, outcomes)
      return { status: 'rejected', ...key }
    }
    const delivery = now.get(key)
    if (delivery === undefined || 'code' in one) return { status: 'rejected', ...UNKNOWN }
    const { result, delivery: after } = apply(delivery, one, outcomes)
    now.set(key, after)
    return result
  })
  const changed = outcomes.locked.flatMap((before) => {
    const after = now.get(before.key)
    return after === undefined || after === before ? [] : [after]
  })
  const counts = Counts.open(outcomes)
  const before = new Map(outcomes.locked.map((delivery) => [delivery.key, delivery]))
  for (const delivery of changed) {
    const isSettled = delivery.body.receipts !== before.get(delivery.key)?.body.receipts
    outcomes.save(isSettled ? recount(delivery, counts) : delivery)
  }
  await outcomes.write()
  await counts.write(tx)
  return results
}

const UNKNOWN: ReceiptRefusal = {
  code: 'receipt.unknown',
  message: 'There is no such message: it never was, it is kept no longer, or its recipient was erased.',
}
const EARLY: ReceiptRefusal = {
  code: 'receipt.early',
  message: 'No message has this "providerId" yet, and some of the channel are being handed over: hand it in again.',
}
const AMBIGUOUS: ReceiptRefusal = {
  code: 'receipt.ambiguous',
  message: 'Several messages of the channel have this "providerId": name one by its "deliveryKey".',
}

/**
 * Finds the messages that receipts name, and locks them. What a provider calls a message is only known once its answer has been
 * written down: whether answers are still to come is asked before looking again, so that none slips through in between.
 */
async function find(tx: StoreTransaction, names: readonly DeliveryName[]) {
  let deliveries = await tx.lockNamedDeliveries(names)
  const missing = names.filter((name) => 'channel' in name && named(deliveries, name).length === 0)
  const channels = missing.flatMap((name) => ('channel' in name ? [name.channel] : []))
  const underWay = await tx.channelsUnderWay([...new Set(channels)])
  if (missing.length > 0) deliveries = distinct([...deliveries, ...(await tx.lockNamedDeliveries(missing))])
  const keyOf = (name: DeliveryName): string | ReceiptRefusal => {
    if ('key' in name) return name.key
    const [one, another] = named(deliveries, name)
    if (one === undefined) return underWay.has(name.channel) ? EARLY : UNKNOWN
    return another === undefined ? one.key : AMBIGUOUS
  }
  return { deliveries, keyOf }
}

function named(deliveries: readonly Delivery[], name: DeliveryName): readonly Delivery[] {
  return deliveries.filter((delivery) =>
    'key' in name
      ? delivery.key === name.key
      : delivery.providerId === name.providerId && delivery.body.channel === name.channel,
  )
}

function distinct(deliveries: readonly Delivery[]): readonly Delivery[] {
  return [...new Map(deliveries.map((delivery) => [delivery.key, delivery])).values()]
}

function apply(
  before: Delivery,
  { mark, detail }: ReceiptAtHand,
  outcomes: Outcomes,
): { readonly result: ReceiptResult; readonly delivery: Delivery } {
  const deliveryKey = before.key
  const verdict = judge(before, mark)
  if (verdict.verdict === 'duplicate') return { result: { status: 'duplicate', deliveryKey }, delivery: before }
  if (verdict.verdict === 'impossible') {
    const message = `The message is "${before.state}", and cannot be said to be "${mark.says}": ${verdict.why}.`
    const result = { status: 'rejected', code: 'receipt.impossible', message } as const
    return { result, delivery: tellRefused(before, mark, { ...IMPOSSIBLE, why: verdict.why }, outcomes) }
  }
  // A provider's clock may be wrong: nothing is said of a message before there was one.
  const at = Math.max(mark.at, before.plannedAt)
  const happened = { at, ...(mark.link !== undefined && { link: mark.link }), ...(detail !== undefined && { detail }) }
  settleFirst(before, mark, outcomes, at)
  countForCaps(before, mark, outcomes)
  tell(before, mark.says, outcomes, happened)
  const implied = isImplied(before, mark) ? [{ says: 'confirmed', at } as const] : []
  const receipts = [...(before.body.receipts ?? []), ...implied, { ...mark, at }]
  const { reason: _, ...rest } = { ...before, body: { ...before.body, receipts } }
  const denied = mark.says === 'failed' || mark.says === 'declined'
  const after = closed(rest, verdict.state, denied ? (detail ?? mark.says) : undefined)
  return { result: { status: 'accepted', deliveryKey }, delivery: after }
}

/** Why a receipt is a decision, and where it is noted that it was told. */
interface Refused {
  readonly reason: ReceiptRefusal['code']
  readonly noted: 'refused' | 'ambiguous'
  readonly why: string
}

const IMPOSSIBLE = { reason: 'receipt.impossible', noted: 'refused' } as const
const SEVERAL: Refused = {
  ...{ reason: 'receipt.ambiguous', noted: 'ambiguous' },
  why: 'several messages of the channel have this providerId',
}

/**
 * Of how many messages one receipt is told that may be of any of them. A provider that calls more by one name names none: the
 * receipt is counted, and nobody's decisions are filled with it.
 */
const MOST_MEANT = 100

/** A receipt that may be of several messages is a decision about whom each of them is for. */
function tellAmbiguous({ name, mark }: ReceiptAtHand, now: Map<string, Delivery>, outcomes: Outcomes): void {
  const meant = named([...now.values()], name)
  if (meant.length > MOST_MEANT) return
  for (const delivery of meant) now.set(delivery.key, tellRefused(delivery, mark, SEVERAL, outcomes))
}

/** A receipt that is refused is a decision about whom its message is for: once, however often a provider repeats it. */
function tellRefused(
  delivery: Delivery,
  { says }: ReceiptAtHand['mark'],
  { reason, noted, why: detail }: Refused,
  outcomes: Outcomes,
): Delivery {
  const told = delivery.body[noted] ?? []
  if (told.includes(says)) return delivery
  const { kind, subject, source, body } = delivery
  const { journey, run, step } = source
  const what = kind === 'message' ? about(delivery, outcomes.now) : { delivery: kind, what: body.what }
  const base = { at: outcomes.now, subject: subjectName(subject), rule: journey, run, step }
  outcomes.say({ ...base, ...what, decision: 'receipt.rejected', says, reason, detail })
  return { ...delivery, body: { ...body, [noted]: [...told, says] } }
}

/** What is counted for many people together follows what a message has turned out to be. */
function recount(delivery: Delivery, counts: Counts): Delivery {
  if (delivery.state === 'accepted') return counts.arrived(delivery)
  return delivery.state === 'failed' ? counts.failed(delivery) : counts.takeBack(delivery)
}

/** Of what has arrived, somebody must have sent it who was waited for. */
function isImplied({ state }: Delivery, mark: ReceiptAtHand['mark']): boolean {
  return state === 'awaiting_person' && saysArrived(mark)
}

/** Settles what the receipt shows to have been taken, as the provider's own answer would have: then the run goes on. */
function settleFirst(before: Delivery, mark: ReceiptAtHand['mark'], outcomes: Outcomes, at: number): void {
  const wasTold = hasSaid(before, 'declined') || TOLD_ACCEPTED.has(before.state)
  if (isOpen(before)) {
    outcomes.say({ ...about(before, outcomes.now), decision: 'message.accepted', because: 'receipt' })
    emitAccepted(before, outcomes)
    outcomes.resume(before, 'accepted')
  } else if (before.state === 'parked') {
    const outcome = mark.says === 'declined' ? 'not sent' : 'sent'
    outcomes.say({ ...about(before, outcomes.now), decision: 'message.resolved', outcome, because: 'receipt' })
    if (outcome === 'sent') emitAccepted(before, outcomes)
  } else if (!wasTold) emitAccepted(before, outcomes)
  if (isImplied(before, mark)) tell(before, 'confirmed', outcomes, { at })
}

/** States of messages of which the log has a `message_accepted`. */
const TOLD_ACCEPTED: ReadonlySet<Delivery['state']> = new Set(['accepted', 'awaiting_person', 'failed'])

/** What left counts for caps since it did; what did not arrive counts no more. */
function countForCaps(before: Delivery, { says }: ReceiptAtHand['mark'], outcomes: Outcomes): void {
  const { state } = outcomes.subjectOf(before)
  if (says === 'failed' || says === 'declined') return outcomes.replaceState(before, forgetSend(state, before.key))
  if (state.at === 0 || before.state === 'accepted' || isUnderWay(before)) return
  const sentAt = before.body.firstCalledAt ?? before.plannedAt
  outcomes.replaceState(before, restoreSend(state, atHand(before), before.key, sentAt))
}

function emitAccepted(delivery: Delivery, outcomes: Outcomes): void {
  outcomes.emit(delivery, 'message_accepted', detailsOf(delivery))
}

function tell(
  delivery: Delivery,
  says: ReceiptAtHand['mark']['says'],
  outcomes: Outcomes,
  { at, link, detail }: { readonly at: number; readonly link?: string; readonly detail?: string },
): void {
  const more = { ...(link !== undefined && { link }), ...(detail !== undefined && { reason: detail }) }
  const happened = new Date(at).toISOString()
  outcomes.say({ ...about(delivery, outcomes.now), decision: `message.${says}`, happened, ...more })
  outcomes.emit(delivery, `message_${says}`, { ...detailsOf(delivery), ...more }, { at, ...(link && { which: link }) })
}

function detailsOf({ body: { channel, class: messageClass, what: template } }: Delivery) {
  return { channel, class: messageClass, template }
}

function about(delivery: Delivery, at: number) {
  const { subject, source, providerId } = delivery
  const { journey: rule, run, step } = source
  const provider = providerId === undefined ? {} : { providerId }
  return { at, subject: subjectName(subject), rule, run, step, ...detailsOf(delivery), ...provider }
}
