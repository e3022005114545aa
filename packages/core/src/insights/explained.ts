import type { Explanation, ScoreExplanation, Turn } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import type { StoredEvent } from '../ports/store.js'

/** The answer to "why?" about one subject and one rule at one instant. All instants are ISO 8601. */
export interface Explained {
  /** `user:u-1` */
  readonly subject: string
  readonly rule: string
  readonly kind: 'tag' | 'score' | 'journey'
  readonly name?: string
  readonly at: string
  /** The subject's time zone, in which days and months of its rules begin. */
  readonly timeZone: string
  /** Tag: whether it is on. Score: whether it is not 0. Journey: whether the subject is in it. */
  readonly holds: boolean
  /** Since when that is so (of a score: its value), by what was decided; null where nothing was. */
  readonly since: string | null
  /** When that next changes by itself, if nothing new happens; null when only something new can change it. */
  readonly until: string | null
  /** The conditions (of a journey: its entry conditions) with their actual values; absent where there are none. */
  readonly conditions?: Explanation
  /** Of a journey, the instant that the conditions are shown at: of somebody inside, when they were let in; else `at`. */
  readonly askedAt?: string
  /** Of a journey that events enter: the one that let the subject in; else the latest that could have. */
  readonly event?: ExplainedEvent
  /** Of a journey: where the subject is in it. */
  readonly runs?: readonly ExplainedRun[]
  /** Of a score: its value, its tier, and what each term gives. */
  readonly score?: ScoreExplanation
  /**
   * What would have to happen for `holds` to turn: of a score, to reach the next tier. Each part turns it as long as all else
   * stays as it is. Absent where nothing is known that would.
   */
  readonly toTurn?: Turn
  /** What was decided by this rule about this subject so far. */
  readonly decisions: readonly Decision[]
}

export interface ExplainedEvent {
  readonly messageId: string
  readonly event: string
  readonly at: string
  readonly properties: Readonly<Record<string, unknown>>
}

export function eventFor({ messageId, event, at, properties }: StoredEvent): ExplainedEvent {
  return { messageId, event, at: new Date(at).toISOString(), properties }
}

export interface ExplainedRun {
  readonly run: string
  readonly key?: string
  readonly enteredAt: string
  /** The step at which it waits. */
  readonly step: string
  /** When the wait ends by itself; null while it waits for an outcome. */
  readonly until: string | null
}
