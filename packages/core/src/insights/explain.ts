import {
  type CompiledJourney,
  type CompiledScore,
  type CompiledTag,
  compileProgram,
  DEFAULT_ZONE,
  type Pack,
  type Program,
  zoneFor,
} from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import { type Run, type SubjectKey, subjectName } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import { recordOf } from '../ingest/records.js'
import type { Store, StoredEvent } from '../ports/store.js'
import { turnsAt } from './ahead.js'
import { type Explained, eventFor } from './explained.js'
import { Neighbourhood } from './neighbourhood.js'
import type { Past } from './past.js'
import type { Picture } from './picture.js'
import { scoreWithReasons, withReasons } from './reasons.js'
import { turnByHand, turnInto, turnOfScore, turnOfTag, turnOut } from './turns.js'

export interface Question {
  readonly key: SubjectKey
  readonly rule: string
  readonly at: number
}

/** Explains from a store: what is on record of the subject is gone through again up to the instant. */
export async function explainFromLog({
  store,
  pack,
  ...question
}: Question & { readonly store: Store; readonly pack: Pack }): Promise<Explained> {
  const neighbourhood = new Neighbourhood(store, exactly(pack))
  // Whoever it is now: what is on record is one person's.
  return neighbourhood.look(question.key, (past) => explain({ ...question, key: past.key }, past, neighbourhood))
}

const exactPrograms = new WeakMap<Pack, Program>()

/** The pack compiled so that explanations show exact values; once, as long as somebody has the pack. */
function exactly(pack: Pack): Program {
  const program = exactPrograms.get(pack) ?? compileProgram(pack, { exact: true })
  exactPrograms.set(pack, program)
  return program
}

/** What is asked, and what is known for the answer. */
interface Case {
  readonly question: Question
  readonly neighbourhood: Neighbourhood
  readonly past: Past
  readonly picture: Picture
  /** What the rule has decided by then. */
  readonly decisions: readonly Decision[]
}

type Answer = Omit<Explained, 'subject' | 'rule' | 'at' | 'timeZone' | 'decisions'>

function explain(question: Question, past: Past, neighbourhood: Neighbourhood): Explained {
  const { key, rule, at } = question
  const answer = answerFor(rule, key, neighbourhood.program)
  const picture = neighbourhood.until(at).pictureOf(key)
  if (picture === undefined) {
    const subject = subjectName(key)
    throw new EngineError('subject.unknown', `Nothing is known of ${subject} at that time.`, { subject })
  }
  const decisions = past.decisions.filter(
    (decision) => decision.at <= at && (decision.rule === rule || decision['journey'] === rule),
  )
  return {
    subject: subjectName(key),
    rule,
    at: isoOf(at),
    timeZone: zoneFor(picture, DEFAULT_ZONE),
    ...answer({ question, neighbourhood, past, picture, decisions }),
    decisions,
  }
}

function answerFor(rule: string, { kind }: SubjectKey, program: Program): (asked: Case) => Answer {
  const { tagsById, scoresById } = program.subjects[kind]
  const tag = tagsById.get(rule)
  if (tag?.definition !== undefined) return (asked) => explainTag(tag, asked)
  const score = scoresById.get(rule)
  if (score !== undefined) return (asked) => explainScore(score, asked)
  const journey = program.journeys.get(rule)
  if (journey?.subject === kind) return (asked) => explainJourney(journey, asked)
  const journeys = [...program.journeys.values()].filter((one) => one.subject === kind)
  const tags = [...tagsById.values()].filter(({ definition }) => definition)
  const known = [...tags, ...scoresById.values(), ...journeys].map(({ id }) => id)
  const message = `There is no tag, score or journey ${JSON.stringify(rule)} for a ${kind}. There are: ${known.join(', ') || 'none'}.`
  throw new EngineError('rule.unknown', message, { rule, known })
}

function explainTag({ id, kind, condition, definition }: CompiledTag, asked: Case): Answer {
  const { picture, decisions } = asked
  const holds = picture.hasTag(id)
  const last = decisions.findLast(({ decision }) => decision.startsWith('tag.'))
  const until = kind === 'computed' ? untilOf(asked, (one) => one.hasTag(id)) : null
  const conditions = kind === 'computed' ? withReasons(condition.explain(picture, picture.events), picture) : undefined
  return {
    kind: 'tag',
    ...nameOf(definition),
    holds,
    since: last !== undefined && (last.decision === 'tag.added') === holds ? isoOf(last.at) : null,
    until,
    ...(conditions && { conditions }),
    toTurn: conditions === undefined ? turnByHand(id, holds) : turnOfTag(conditions, until),
  }
}

function explainScore(score: CompiledScore, asked: Case): Answer {
  const { picture, decisions } = asked
  const explained = scoreWithReasons(score.explain(picture, picture.events), picture)
  const last = decisions.findLast(({ decision }) => decision === 'score.changed')
  const toTurn = turnOfScore(score, explained.value)
  return {
    kind: 'score',
    ...nameOf(score.definition),
    holds: explained.value !== 0,
    since: last !== undefined && last['to'] === explained.value ? isoOf(last.at) : null,
    until: untilOf(asked, (one) => one.score(score.id)),
    score: explained,
    ...(toTurn && { toTurn }),
  }
}

function explainJourney(journey: CompiledJourney, asked: Case): Answer {
  const { picture, decisions, neighbourhood, question, past } = asked
  const runs = picture.runs.filter((run) => run.journey === journey.id)
  const entered = decisions.findLast(({ decision, run }) => decision === 'journey.entered' && run === runs.at(-1)?.id)
  const left = decisions.findLast(({ decision }) => decision === 'journey.exited')
  // Of somebody inside, the conditions are shown as they were on entering.
  const askedAt = entered?.at ?? question.at
  const event = triggerOf(journey, past, askedAt, entered)
  const scene = neighbourhood.until(askedAt)
  const then = scene.pictureOf(question.key, askedAt, event && recordOf(event))
  const conditions = then && journey.entry.condition?.explain(then, then.events)
  const explained = then && conditions && withReasons(conditions, then)
  const isIn = runs.length > 0
  const since = isIn ? entered?.at : left?.at
  const outside = { picture, conditions: explained, decisions }
  const toTurn = isIn ? turnOut(journey, picture) : turnInto(journey, outside)
  return {
    kind: 'journey',
    ...nameOf(journey.definition),
    holds: isIn,
    since: since === undefined ? null : isoOf(since),
    until: endOf(runs),
    ...(event && { event: eventFor(event) }),
    ...(explained && { conditions: explained, askedAt: isoOf(askedAt) }),
    ...(toTurn && { toTurn }),
    runs: runs.map(({ id, key, enteredAt, step, until }) => ({
      run: id,
      ...(key !== undefined && { key }),
      enteredAt: isoOf(enteredAt),
      step,
      until: until > 0 ? isoOf(until) : null,
    })),
  }
}

/** The event that let somebody in; else the latest that could have. */
function triggerOf(
  { id, entry }: CompiledJourney,
  { events }: Past,
  at: number,
  entered: Decision | undefined,
): StoredEvent | undefined {
  if (entry.on !== 'event' && entry.on !== 'api') return undefined
  const named = entered?.['messageId']
  const found = named === undefined ? undefined : events.find(({ messageId }) => messageId === named)
  const isMeant = ({ event, properties }: StoredEvent) =>
    entry.events.has(event) && (entry.on === 'event' || properties['journey'] === id)
  return found ?? events.findLast((event) => event.at <= at && isMeant(event))
}

function endOf(runs: readonly Run[]): string | null {
  const ends = runs.map(({ until }) => until).filter((until) => until > 0)
  return ends.length === 0 ? null : isoOf(Math.min(...ends))
}

function untilOf({ neighbourhood, question }: Case, see: (picture: Picture) => unknown): string | null {
  const turns = turnsAt(neighbourhood.until(question.at), question.key, see)
  return Number.isFinite(turns) ? isoOf(turns) : null
}

function nameOf(definition: { readonly name?: string | undefined } | undefined): { readonly name?: string } {
  return definition?.name === undefined ? {} : { name: definition.name }
}

function isoOf(at: number): string {
  return new Date(at).toISOString()
}
