import type { Halt } from '@linli/rules'
import { deliveryHalt, haltName } from '../domain/halts.js'
import { subjectName } from '../domain/subject.js'
import type { Delivery } from '../ports/store.js'
import type { Outcomes } from './outcomes.js'
import { closed } from './settlement.js'

/** How long a message whose outcome is unknown is left alone before it is looked at again, in milliseconds. */
const UNKNOWN_PAUSE_MS = 60_000

/** What keeps a delivery from leaving. */
export function haltFor({ source, body }: Delivery, { program }: Outcomes): Halt | undefined {
  const { journey } = source
  return deliveryHalt(program, { journey, channel: body.channel })
}

/** The reason of deliveries that something paused has put aside. */
export function pausedBy({ target }: Pick<Halt, 'target'>): string {
  return `paused: ${haltName(target)}`
}

/** Puts a delivery aside until what is paused goes on, and says so. */
export function putAside(delivery: Delivery, halt: Halt, outcomes: Outcomes, now: number): void {
  // It may have left: what is known of it must not be lost, and asking or repeating can wait.
  if (delivery.state === 'unknown') return outcomes.save({ ...delivery, dueAt: now + UNKNOWN_PAUSE_MS })
  outcomes.save({ ...delivery, state: 'paused', dueAt: undefined, reason: pausedBy(halt) })
  outcomes.say({ ...aboutHalted(delivery, halt, now), decision: 'message.deferred', reason: halt.state })
}

/** Whether something keeps a delivery from leaving, and so it was put aside or called off. */
export function isHalted(delivery: Delivery, outcomes: Outcomes, now: number): boolean {
  const halt = haltFor(delivery, outcomes)
  if (halt === undefined) return false
  if (halt.state === 'paused') putAside(delivery, halt, outcomes, now)
  else callOff(delivery, halt, outcomes, now)
  return true
}

/** Closes a delivery of what is stopped, and says so. */
export function callOff(delivery: Delivery, halt: Halt, outcomes: Outcomes, now: number): void {
  outcomes.save(closed(delivery, 'suppressed', halt.state))
  outcomes.say({ ...aboutHalted(delivery, halt, now), decision: 'message.suppressed', reason: halt.state })
}

function aboutHalted({ kind, subject, source, body }: Delivery, halt: Halt, at: number) {
  const { journey: rule, run, step } = source
  const { what, channel, class: messageClass } = body
  const about = kind === 'message' ? { template: what, channel, class: messageClass } : { delivery: kind, what }
  return { at, subject: subjectName(subject), rule, journey: rule, run, step, ...about, halt: haltName(halt.target) }
}
