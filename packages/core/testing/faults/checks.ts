import type { Decision } from '../../src/domain/decision.js'
import { subjectName } from '../../src/domain/subject.js'
import type { Engine } from '../../src/door.js'
import type { Verification } from '../../src/operations/verify.js'
import type { Delivery } from '../../src/ports/store.js'
import type { ProviderEntry } from '../../src/testing/faults/provider.js'
import type { Accepted, Tried } from './orders.js'
import { APP_BUDGET, CAP, ISSUER, MIXED, RATES, WECOM_BUDGET } from './town.js'

/** Something that must not have happened. */
export interface Finding {
  /** The promise that was broken. */
  readonly promise: string
  readonly found: string
}

/** All that there is to look at once everything is quiet. */
export interface Evidence {
  readonly engine: Pick<Engine, 'pools'>
  readonly verification: Verification
  readonly deliveries: readonly Delivery[]
  readonly decisions: readonly Decision[]
  readonly accepted: readonly Accepted[]
  /** Events that are in the log, and whose process died before it could say that they were taken in. */
  readonly unanswered: readonly Tried[]
  readonly sent: readonly ProviderEntry[]
  readonly isQuiet: boolean
  readonly seconds: number
}

/** How long the transaction may take that clears a message: it counts from when it began. Two seconds of the machine. */
const CLEARING_MS = 40_000
/** How long after it was cleared a call may be decided on, and what clocks are read apart. */
const LEAD_MS = 5_000 + 1_000

export async function checkTown(evidence: Evidence): Promise<readonly Finding[]> {
  const own = evidence.verification.violations.map(({ invariant, subject = '', found }) => ({
    promise: invariant,
    found: `${subject} ${found}`,
  }))
  return [
    ...own,
    ...all('all that is due is done once nothing fails any more', unfinished(evidence)),
    ...all('an accepted event is in the log and moves its subject once', lostEvents(evidence)),
    ...all('a message leaves once', sentTwice(evidence)),
    ...all('what was sent is what is on record', unrecorded(evidence)),
    ...all('no more promotions than the cap, by the provider', overTheCap(evidence)),
    ...all('no more calls than the rate of a channel, in any window', overTheRate(evidence)),
    ...all('no more than a budget, by the provider', overTheBudgets(evidence)),
    ...all('no more promotions to a community than its share, by the provider', overTheMix(evidence)),
    ...all('who opted out gets nothing, by the provider', optedOut(evidence)),
    ...all('coupons: one for each person, none too many', tooManyCoupons(evidence)),
    ...all('a run takes each step once, and one branch', steppedTwice(evidence)),
  ]
}

function all(promise: string, found: readonly string[]): readonly Finding[] {
  return found.map((one) => ({ promise, found: one }))
}

function unfinished({ isQuiet, seconds, deliveries }: Evidence): readonly string[] {
  if (isQuiet) return []
  const open = deliveries.filter(({ dueAt }) => dueAt !== undefined)
  const kinds = open.map(({ body, kind, state }) => `${body.channel ?? kind} ${state}`)
  const counts = [...new Set(kinds)].map((one) => `${kinds.filter((other) => other === one).length} ${one}`)
  const which = counts.length === 0 ? '' : ` (${counts.join(', ')})`
  return [
    `after ${seconds.toFixed(0)} s ${open.length} deliveries are under way${which}, or somebody is still in a journey`,
  ]
}

/** Each cart that was accepted began exactly one run. */
function lostEvents({ accepted, decisions }: Evidence): readonly string[] {
  const entered = countBy(
    decisions.filter(({ decision, rule }) => decision === 'journey.entered' && rule === 'cart'),
    ({ key }) => String(key),
  )
  const carts = accepted.filter(({ event }) => event === 'cart')
  return carts.flatMap(({ messageId, properties }) => {
    const times = entered.get(String(properties?.['cart'])) ?? 0
    return times === 1 ? [] : [`${messageId} began ${times} runs`]
  })
}

function sentTwice({ sent }: Evidence): readonly string[] {
  const left = countBy(
    sent.filter(({ did }) => did === 'sent'),
    ({ key }) => key,
  )
  return [...left].filter(([, times]) => times > 1).map(([key, times]) => `${key} left ${times} times`)
}

/** What is accepted has left, what is suppressed or rejected has not, and nothing has left that nobody knows of. */
function unrecorded({ deliveries, sent }: Evidence): readonly string[] {
  // Of coupons, those that the provider issues.
  const isThere = ({ kind, body }: Delivery) => kind === 'message' || body.channel === ISSUER
  const messages = new Map(deliveries.filter(isThere).map((one) => [one.key, one]))
  const left = new Set(sent.filter(({ did }) => did === 'sent').map(({ key }) => key))
  const unknown = [...left].filter((key) => !messages.has(key)).map((key) => `${key} left, and is no delivery`)
  const untrue = [...messages.values()].flatMap(({ key, state, body }) => {
    if (state === 'accepted' && !left.has(key)) return [`${key} is accepted, and has not left`]
    const isDenied = state === 'suppressed' || state === 'rejected'
    return isDenied && left.has(key) ? [`${key} (${body.channel}) is ${state}, and has left`] : []
  })
  return [...unknown, ...untrue]
}

function overTheCap({ sent }: Evidence): readonly string[] {
  const byPerson = new Map<string, ProviderEntry[]>()
  for (const entry of sent) {
    const { did, class: messageClass, to } = entry
    if (did === 'sent' && messageClass === 'promotion') byPerson.set(to, [...(byPerson.get(to) ?? []), entry])
  }
  return [...byPerson].flatMap(([to, times]) => {
    const inOrder = times.toSorted((one, other) => one.decidedAt - other.decidedAt)
    const first = inOrder.findIndex(({ decidedAt }, index) => {
      const next = inOrder[index + CAP.max]
      return next !== undefined && next.decidedAt - decidedAt < CAP.withinMs - LEAD_MS - CLEARING_MS
    })
    const crowd = inOrder.slice(first, first + CAP.max + 1)
    const told = crowd.map(({ key, decidedAt, at, channel }) => `${key} ${channel} ${iso(decidedAt)} (${iso(at)})`)
    return first < 0 ? [] : [`${to} got ${crowd.length} within ${CAP.withinMs} ms: ${told.join(', ')}`]
  })
}

/**
 * Of all calls, whatever the provider did: by when the engine decided on each, by the clock that all processes share. Where that
 * was put back it shows the same times again, later.
 */
function overTheRate({ sent }: Evidence): readonly string[] {
  const eras = new Set(sent.map(({ era }) => era))
  return [...eras].flatMap((era) => overTheRateOf(sent.filter((one) => one.era === era)))
}

function overTheRateOf(sent: readonly ProviderEntry[]): readonly string[] {
  return Object.entries(RATES).flatMap(([name, rate]) => {
    if (rate === undefined) return []
    const calls = sent.filter(({ channel, did }) => channel === name && did !== 'asked')
    const times = calls.map(({ decidedAt }) => decidedAt).toSorted((one, other) => one - other)
    const first = times.find((at, index) => (times[index + rate.max] ?? Number.POSITIVE_INFINITY) - at < rate.perMs)
    return first === undefined
      ? []
      : [`${name} was called more than ${rate.max} times in ${rate.perMs} ms from ${iso(first)}`]
  })
}

/** Of all that has left: budgets that are never filled up again have no window that one would have to place. */
function overTheBudgets(evidence: Evidence): readonly string[] {
  const content = evidence.sent.filter(
    ({ did, channel, class: messageClass }) => did === 'sent' && channel === 'app' && messageClass === 'content',
  )
  const cost = content.length * APP_BUDGET.cost
  const byWecom = toMembers(evidence).filter(
    ({ channel, class: messageClass, isMember }) => isMember && channel === 'wecom' && messageClass === 'content',
  )
  const spent = [...countBy(byWecom, ({ community }) => community)].filter(([, times]) => times > WECOM_BUDGET)
  return [
    ...spent.map(([community, times]) => `${times} by wecom to ${community}, and its budget is ${WECOM_BUDGET}`),
    ...(cost > APP_BUDGET.money ? [`${cost} was spent by the app, and the budget is ${APP_BUDGET.money}`] : []),
  ]
}

/** Of each promotion: those that were certainly cleared before it, and all else that may have made room by then. */
function overTheMix(evidence: Evidence): readonly string[] {
  const messages = toMembers(evidence)
  const isPromotion = (one: ProviderEntry) => one.class === 'promotion'
  const promotions = messages.filter((one) => one.isMember && isPromotion(one))
  return promotions.flatMap(({ key, community, decidedAt }) => {
    const own = (one: { readonly community: string }) => one.community === community
    const before = promotions.filter((one) => own(one) && one.decidedAt < decidedAt - LEAD_MS - CLEARING_MS)
    const others = messages.filter((one) => own(one) && !isPromotion(one) && one.decidedAt <= decidedAt)
    const used = before.length + 1
    const isRight = used * (MIXED - 1) <= others.length
    return isRight ? [] : [`${key} was promotion ${used} to ${community}, beside ${others.length} others`]
  })
}

/** The messages to those who ever said that they belong to a community, and whether they certainly had when it was cleared. */
function toMembers({ accepted, sent }: Evidence) {
  const joined = new Map<string, { readonly community: string; readonly at: number }>()
  for (const { type, userId, groupId, until: at } of accepted) {
    const isFirst = at < (joined.get(`user:${userId}`)?.at ?? Number.POSITIVE_INFINITY)
    if (type === 'group' && isFirst) joined.set(`user:${userId}`, { community: String(groupId), at })
  }
  return sent.flatMap((one) => {
    const member = joined.get(one.to)
    if (member === undefined || one.did !== 'sent' || one.class === 'coupon') return []
    const isMember = member.at < one.decidedAt - LEAD_MS - CLEARING_MS
    return [{ ...one, community: member.community, isMember }]
  })
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

/** Whoever's withdrawal had returned gets no promotion until they grant again; a grant is good from when it was tried. */
export function optedOut({
  accepted,
  unanswered,
  sent,
}: Pick<Evidence, 'accepted' | 'unanswered' | 'sent'>): readonly string[] {
  const withdrawals = accepted.filter(({ event }) => event === 'consent_withdrawn')
  const grants = [...accepted, ...unanswered].filter(({ event }) => event === 'consent_granted')
  return sent.flatMap(({ did, class: messageClass, to, decidedAt, key, era = 0 }) => {
    if (did !== 'sent' || messageClass !== 'promotion') return []
    const isBefore = ({ from, era: its = 0 }: Tried) => its < era || (its === era && from <= decidedAt)
    const isOwn = ({ userId }: Tried) => `user:${userId}` === to
    const withdrawn = withdrawals.filter((one) => isOwn(one) && one.until + LEAD_MS < decidedAt)
    const last = Math.max(0, ...withdrawn.map(({ timestamp }) => Number(timestamp)))
    const isGranted = grants.some((one) => isOwn(one) && isBefore(one) && Number(one.timestamp) >= last - LEAD_MS)
    return last > 0 && !isGranted ? [`${to} had opted out at ${iso(last)} when ${key} left at ${iso(decidedAt)}`] : []
  })
}

function tooManyCoupons({ decisions, deliveries }: Evidence): readonly string[] {
  const issued = decisions.filter(({ decision }) => decision === 'coupon.issued')
  const holderOf = ({ subject, rule }: Decision) => `${subject} of ${rule}`
  const byPerson = countBy(issued, holderOf)
  const returned = countBy(
    decisions.filter(({ decision }) => decision === 'coupon.returned'),
    holderOf,
  )
  const twice = [...byPerson].flatMap(([who, times]) => {
    const has = times - (returned.get(who) ?? 0)
    return has > 1 || has < 0 ? [`${who} has ${has} coupons`] : []
  })
  const given = deliveries.filter(({ kind, state }) => kind === 'coupon' && state === 'accepted').length
  return given === issued.length ? twice : [...twice, `${given} coupons were given, and ${issued.length} issued`]
}

function steppedTwice({ decisions, deliveries }: Evidence): readonly string[] {
  const steps = countBy(
    decisions.filter(({ decision }) => decision === 'journey.stepped'),
    ({ run, step }) => `${String(run)} ${String(step)}`,
  )
  const twice = [...steps].filter(([, times]) => times > 1).map(([at]) => `${at} was taken twice`)
  const branches = new Map<unknown, Set<unknown>>()
  for (const { decision, rule, run, step } of decisions) {
    if (decision !== 'journey.stepped' || rule !== 'cart') continue
    branches.set(run, (branches.get(run) ?? new Set()).add(step))
  }
  const both = [...branches].filter(([, taken]) => taken.has('thank') && taken.has('remind'))
  const entered = countBy(
    decisions.filter(({ decision }) => decision === 'journey.entered'),
    ({ run }) => String(run),
  )
  const exited = countBy(
    decisions.filter(({ decision }) => decision === 'journey.exited'),
    ({ run }) => String(run),
  )
  const uneven = [...entered].flatMap(([run, times]) =>
    times === 1 && exited.get(run) === 1
      ? []
      : [`run ${run} was entered ${times} times and left ${exited.get(run) ?? 0} times`],
  )
  const astray = deliveries.filter(({ subject }) => !subjectName(subject).startsWith('user:u')).map(({ key }) => key)
  return [...twice, ...both.map(([run]) => `run ${String(run)} took both branches`), ...uneven, ...astray]
}

function countBy<T>(values: readonly T[], name: (value: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(name(value), (counts.get(name(value)) ?? 0) + 1)
  return counts
}
