import { subjectName } from '../domain/subject.js'
import { compose } from './message.js'
import type { Outcomes } from './outcomes.js'
import { isHalted } from './paused.js'
import { closed } from './settlement.js'

/** Makes suggestions, which then wait for the leader, and closes those that have expired. */
export function settleSuggestions(outcomes: Outcomes): void {
  const { now } = outcomes
  for (const delivery of outcomes.locked) {
    const { source, body, subject } = delivery
    const { to, expiresAt = now } = body
    const about = { run: source.run, step: source.step, template: body.what, to: `leader:${to}` }
    const said = { at: now, subject: subjectName(subject), rule: source.journey, ...about }
    const composed = compose(delivery, outcomes.subjectOf(delivery).state, outcomes.program)
    if (expiresAt > now && isHalted(delivery, outcomes, now)) continue
    if (expiresAt <= now) outcomes.save(closed(delivery, 'rejected', 'expired'))
    else if (!composed.ok) {
      const { reason, detail } = composed
      outcomes.save(closed(delivery, 'suppressed', reason))
      outcomes.say({ ...said, decision: 'message.suppressed', reason, detail })
    } else {
      const text = composed.message.content.body
      outcomes.save({ ...delivery, state: 'awaiting_person', dueAt: expiresAt, body: { ...body, text } })
      outcomes.say({ ...said, decision: 'suggestion.made', expires: new Date(expiresAt).toISOString() })
    }
  }
}
