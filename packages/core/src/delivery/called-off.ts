import type { Decision } from '../domain/decision.js'
import { subjectName } from '../domain/subject.js'
import type { Delivery } from '../ports/store.js'

/** Says that something was not sent after all, because somebody has called it off. */
export function calledOffDecision({ kind, subject, source, body }: Delivery, reason: string, at: number): Decision {
  const { journey: rule, run, step } = source
  const { what, channel, class: messageClass } = body
  return {
    ...{ at, subject: subjectName(subject), decision: 'message.suppressed', rule, journey: rule, run, step, reason },
    ...(kind === 'message' ? { template: what, channel, class: messageClass } : { delivery: kind, what }),
  }
}
