import type { StepDefinition } from '@linli/rules'
import { consentAt } from '../law/known.js'
import type { Life } from './life.js'
import type { Orphan, Run, StepOf, Steps, Wish } from './words.js'

// What steps wish of the world: messages, coupons, and what comes into the event log.

type WishOf<Kind extends Wish['kind']> = Extract<Wish, { readonly kind: Kind }>
type SendOutcome = 'accepted' | 'refused' | 'suppressed'

/** What a step wishes for when a run comes to it. */
export function wishOf(life: Life, run: Run, step: StepDefinition): Wish {
  if ('send' in step) {
    const channels = [step.send.channel].flat()
    life.say('message.planned', run, about(step, channels))
    return { kind: 'message', step, channels }
  }
  if ('issue' in step) return { kind: 'coupon', step }
  const valueNow = (value: unknown) =>
    typeof value === 'object' && value !== null && 'params' in value
      ? run.event?.properties[(value.params as { property: string }).property]
      : value
  const said = (values: Readonly<Record<string, unknown>>) => {
    const known = Object.entries(values).map(([name, value]) => [name, valueNow(value)] as const)
    return Object.fromEntries(known.filter(([, value]) => value !== undefined))
  }
  if ('set' in step) {
    const traits = said({ [step.set.trait]: step.set.value })
    return { kind: 'event', event: 'identify', properties: {}, traits }
  }
  if ('emit' in step) {
    return { kind: 'event', event: step.emit.event, properties: said(step.emit.properties ?? {}), traits: {} }
  }
  throw new Error(`step ${step.id} wishes for nothing`)
}

/** What a run was about to send, give or say when it ended or was moved, it does not. */
export function callOff(life: Life, orphan: Orphan): void {
  const { run, step, waiting } = orphan
  const { wish } = waiting
  const reason = orphan.reason ?? (life.runs.includes(run) ? 'run moved' : 'run ended')
  if (orphan.reason !== undefined && wish.kind !== 'message') {
    life.say('message.suppressed', run, { step: step.id, reason })
  } else if (wish.kind === 'message') {
    life.say('message.suppressed', run, { ...about(wish.step, wish.channels), reason })
  } else if (wish.kind === 'coupon') {
    life.line({ decision: 'coupon.refused', rule: wish.step.issue.offer, run: run.name, step: wish.step.id, reason })
  } else if (wish.kind === 'event') {
    life.say('event.rejected', run, { step: step.id, event: wish.event, reason })
  }
}

/** Gives the steps that follow a coupon, or that there is none. */
export function issue(life: Life, run: Run, { step }: WishOf<'coupon'>): Steps {
  const { offer } = step.issue
  const isGiven = life.coupons.filter((one) => one === offer).length < (life.outside.perPerson[offer] ?? 1)
  if (isGiven) life.coupons.push(offer)
  const how = { step: step.id, ...(!isGiven && { reason: 'limit for one person' }) }
  life.line({ decision: isGiven ? 'coupon.issued' : 'coupon.refused', rule: offer, run: run.name, ...how })
  return isGiven ? [] : (step.else ?? [])
}

/** Says that a wish waits until what is paused goes on. */
export function putAside(life: Life, run: Run, wish: Wish): void {
  if (!run.isIn) return life.line({ decision: 'message.deferred', rule: run.definition.id, step: '', reason: 'paused' })
  const how = wish.kind === 'message' ? about(wish.step, wish.channels) : { step: run.step.id }
  life.say('message.deferred', run, { ...how, reason: 'paused' })
}

/** Tries the first channel of a message; gives the steps that follow, or undefined where another channel is to be tried. */
export function deliver(
  life: Life,
  run: Run,
  { step, channels }: WishOf<'message'>,
  stopped: string | undefined,
): Steps | undefined {
  const [channel = '', ...others] = channels
  const { send: message, on } = step
  const said = consentAt(life.events, channel, message.class)
  const isAllowed = said ?? message.class !== 'promotion'
  const done = (outcome: SendOutcome) => {
    if (on !== undefined) life.step(run, { outcome })
    return on?.[outcome] ?? []
  }
  const how = about(step, channels)
  const tryNext = () => {
    life.say('message.planned', run, about(step, others))
    run.waiting = { kind: 'wish', wish: { kind: 'message', step, channels: others }, aside: undefined }
    return undefined
  }
  if (stopped !== undefined) {
    life.say('message.suppressed', run, { ...how, reason: 'stopped' })
    return others.length > 0 ? tryNext() : done('suppressed')
  }
  if (message.template === 'lacking' && life.trait('birthday') === undefined) {
    life.say('message.suppressed', run, { ...how, reason: 'template' })
    return done('suppressed')
  }
  if (!isAllowed) {
    const reason = said === false ? 'opted out' : 'no consent'
    life.say('message.suppressed', run, { ...how, rule: 'consent', reason })
  } else if (life.outside.takes(channel)) {
    life.say('message.accepted', run, how)
    return done('accepted')
  } else life.say('message.rejected', run, { ...how, reason: 'recipient' })
  return others.length > 0 ? tryNext() : done(isAllowed ? 'refused' : 'suppressed')
}

function about({ id, send }: StepOf<'send'>, [channel]: readonly string[]) {
  return { step: id, template: send.template, channel, class: send.class }
}
