import { subjectName } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import type { DeliveryState } from '../ports/store.js'
import { compose } from './message.js'
import type { DispatcherOptions } from './options.js'
import { Outcomes } from './outcomes.js'
import { isHalted } from './paused.js'
import { closed } from './settlement.js'
import { noteCode } from './telling.js'

/** Makes suggestions, which then wait for the leader, and closes those that have expired. */
export function settleSuggestions(outcomes: Outcomes): void {
  const { now } = outcomes
  for (const delivery of outcomes.locked) {
    const { source, body, subject } = delivery
    const { to, expiresAt = now } = body
    const about = { run: source.run, step: source.step, template: body.what, to: `leader:${to}` }
    const said = { at: now, subject: subjectName(subject), rule: source.journey, ...about }
    const composed = compose(delivery, outcomes.subjectOf(delivery).state, outcomes.program, now)
    if (expiresAt > now && isHalted(delivery, outcomes, now)) continue
    if (expiresAt <= now) {
      outcomes.save(closed(delivery, 'rejected', 'expired'))
      outcomes.say({ ...said, decision: 'suggestion.expired' })
    } else if (!composed.ok) {
      const { reason, detail } = composed
      outcomes.save(closed(delivery, 'suppressed', reason))
      outcomes.say({ ...said, decision: 'message.suppressed', reason, detail })
    } else {
      const text = composed.message.content.body
      const { body: noted } = noteCode(delivery, outcomes.program)
      outcomes.save({ ...delivery, state: 'awaiting_person', dueAt: expiresAt, body: { ...noted, text } })
      outcomes.say({ ...said, decision: 'suggestion.made', expires: new Date(expiresAt).toISOString() })
    }
  }
}

/** What a leader has done about a suggestion: kept as it is said, but for the note, which stays in the decision. */
export interface SuggestionMark {
  readonly by: string
  readonly outcome: 'done' | 'dismissed'
  readonly note?: string
}

/**
 * Writes down that a suggestion was followed, or will not be. Of two who say so, and of somebody and its expiry, the first counts.
 *
 * @throws EngineError `delivery.unknown`; `delivery.settled` where it waits for nobody (any more).
 */
export async function markSuggestion(
  options: Pick<DispatcherOptions, 'store' | 'programs' | 'clock'>,
  key: string,
  { by, outcome, note }: SuggestionMark,
): Promise<void> {
  await options.store.transaction(async (tx) => {
    const edition = await options.programs.in(tx)
    const held = (await tx.lockNamedDeliveries([{ key }])).filter(({ kind }) => kind === 'suggestion')
    const outcomes = await Outcomes.lock(tx, options, edition, held)
    const { now } = outcomes
    const [delivery] = outcomes.locked
    if (delivery === undefined) throw unknownSuggestion(key)
    const { state, reason, body, source, subject } = delivery
    if (state !== 'awaiting_person') throw settledSuggestion(key, reason ?? STATES[state] ?? state)
    if ((body.expiresAt ?? now) <= now) throw settledSuggestion(key, 'expired')
    const about = { run: source.run, step: source.step, template: body.what, to: `leader:${body.to}` }
    const said = { at: now, subject: subjectName(subject), rule: source.journey, ...about }
    outcomes.say({ ...said, decision: `suggestion.${outcome}`, by, ...(note !== undefined && { note }) })
    outcomes.save(outcome === 'done' ? closed(delivery, 'accepted') : closed(delivery, 'rejected', 'dismissed'))
    outcomes.emit(delivery, `suggestion_${outcome}`, { template: body.what, leader: body.to, by })
    await outcomes.write()
  })
}

const STATES: Readonly<Partial<Record<DeliveryState, string>>> = { accepted: 'done' }

function unknownSuggestion(key: string): EngineError {
  const message = `There is no suggestion ${JSON.stringify(key)}; see \`suggestions()\`.`
  return new EngineError('delivery.unknown', message, { deliveryKey: key })
}

function settledSuggestion(key: string, state: string): EngineError {
  const message = `The suggestion ${JSON.stringify(key)} waits for nobody: it is "${state}".`
  return new EngineError('delivery.settled', message, { deliveryKey: key, state })
}
