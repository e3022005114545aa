import type { Decision } from '../domain/decision.js'
import { subjectName } from '../domain/subject.js'
import type { Delivery } from '../ports/store.js'
import type { CalledOff, Outcomes } from './outcomes.js'
import { isHalted } from './paused.js'
import { closed } from './settlement.js'

/** Puts what steps say into the log; event, state and run change in one transaction. */
export function settleEvents(outcomes: Outcomes): void {
  const { now } = outcomes
  for (const delivery of outcomes.locked) {
    const calledOff = outcomes.whyCalledOff(delivery)
    if (calledOff !== undefined) {
      outcomes.save(closed(delivery, 'suppressed', calledOff))
      outcomes.say(unsaid(delivery, calledOff, now))
      continue
    }
    if (isHalted(delivery, outcomes, now)) continue
    outcomes.save(closed(delivery, 'accepted'))
    outcomes.emitSaid(delivery)
    outcomes.resume(delivery, 'accepted')
  }
}

/** What a step did not say after all. */
function unsaid({ subject, source, body }: Delivery, reason: CalledOff, at: number): Decision {
  const { journey: rule, run, step } = source
  return { at, subject: subjectName(subject), decision: 'event.rejected', rule, run, step, event: body.what, reason }
}
