import {
  canonicalJson,
  type JourneyDefinition,
  type Pack,
  type ScoreDefinition,
  SUBJECT_KINDS,
  type TagDefinition,
} from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import type { SubjectKey } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import type { Store } from '../ports/store.js'
import { explainFromLog } from './explain.js'
import { type Explained, type ExplainedEvent, eventFor } from './explained.js'
import { readPast } from './past.js'

export type TracedRule = TagDefinition | ScoreDefinition | JourneyDefinition

/** How one decision came about. */
export interface Trace {
  readonly decision: Decision
  /** The tag, score or journey that decided; of a journey, the version that the run began with. Absent where it is gone. */
  readonly rule?: TracedRule
  /** The event that brought it about. Absent where time did, a person, a provider, or a related subject. */
  readonly event?: ExplainedEvent
  /** Why the rule said so at that instant, by what is known now. Absent where the rule is gone. */
  readonly explained?: Explained
  /** What was decided before it in the same run; elsewhere by the same rule. */
  readonly earlier: readonly Decision[]
}

/** Traces a decision of a store's log. */
export async function traceFromLog({
  store,
  packAt,
  decision,
}: {
  readonly store: Store
  /** The rules in force at an instant. */
  readonly packAt: (at: number) => Promise<Pack>
  readonly decision: Decision
}): Promise<Trace> {
  const key = keyOf(decision)
  const past = await readPast(store, key)
  const place = past.decisions.findIndex((one) => isSame(one, decision))
  if (place === -1) {
    const message = `There is no such decision about ${decision.subject}: pass one that "decisions" gave.`
    throw new EngineError('decision.unknown', message, { subject: decision.subject, decision: decision.decision })
  }
  const before = past.decisions.slice(0, place)
  const entered = past.decisions.find((one) => one.decision === 'journey.entered' && one['run'] === decision['run'])
  const id = entered !== undefined && decision['run'] !== undefined ? entered.rule : decision.rule
  // A run keeps the journey that it began with.
  const pack = await packAt(entered?.at ?? decision.at)
  const rule = id === undefined ? undefined : ruleOf(pack, key, id)
  const event = past.events.find(({ messageId }) => messageId === decision.messageId)
  const question = { store, pack, key, at: decision.at }
  return {
    decision,
    ...(rule && { rule }),
    ...(event && { event: eventFor(event) }),
    ...(rule && { explained: await explainFromLog({ ...question, rule: rule.id }) }),
    earlier: before.filter((one) =>
      decision['run'] === undefined ? one.rule === decision.rule : one['run'] === decision['run'],
    ),
  }
}

/** Whom a decision is about. Throws `EngineError` (`subject.unknown`) where it is about none of the kinds there are. */
export function keyOf({ subject }: Pick<Decision, 'subject'>): SubjectKey {
  const kind = SUBJECT_KINDS.find((one) => subject.startsWith(`${one}:`))
  if (kind !== undefined) return { kind, id: subject.slice(kind.length + 1) }
  throw new EngineError('subject.unknown', `Nothing is known of ${subject}.`, { subject })
}

function isSame(a: Decision, b: Decision): boolean {
  return a.at === b.at && a.decision === b.decision && canonicalJson(a) === canonicalJson(b)
}

function ruleOf(pack: Pack, { kind }: SubjectKey, id: string): TracedRule | undefined {
  const all = [...pack.tags, ...pack.scores, ...pack.journeys].map(({ definition }) => definition)
  return all.find((one) => one.id === id && (one.subject ?? 'user') === kind)
}
