import type { Consent, Dated, EventRecord, FeatureState, MessageClass, RelationName, SubjectKind } from '@linli/rules'
import type { HeldOut } from './holdouts.js'
import { LazyMap, type ReadonlyLazyMap } from './lazy-map.js'

/** Names a subject: `user:u-1`. */
export interface SubjectKey {
  readonly kind: SubjectKind
  readonly id: string
}

/** All that linli knows about one subject: one value, stored as one row. */
export interface SubjectState {
  /** The instant it was last advanced to; 0 before it was born. Milliseconds, as all instants here. */
  readonly at: number
  /** Nothing changes by itself before this; 0: nothing ever does. May be early, and is made exact when it comes. */
  readonly due: number
  readonly features: ReadonlyLazyMap<FeatureState>
  readonly traits: Readonly<Record<string, Dated<unknown>>>
  readonly relations: Readonly<Partial<Record<RelationName, Dated<string>>>>
  /** Tags that are on, and tags whose conditions time alone can turn. */
  readonly tags: ReadonlyLazyMap<TagState>
  /** Scores that are not 0, and scores that time alone can change. */
  readonly scores: Readonly<Record<string, ScoreState>>
  readonly runs: readonly Run[]
  /** How many runs it has begun, ever: tells apart those that begin at one instant. */
  readonly entered: number
  /** How many runs of the hour that began at `from` followed from what steps of others did; empty where none ever did. */
  readonly chained: readonly [] | readonly [from: number, count: number]
  /** When a journey next begins by itself for the subject, by journey. */
  readonly schedules: Readonly<Record<string, number>>
  /** When a journey was last entered, by journey (and key), where re-entry depends on it. */
  readonly entries: Readonly<Record<string, number>>
  readonly goals: readonly Goal[]
  readonly consent: Consent
  /** Messages that count for caps. */
  readonly sends: readonly SendRecord[]
  /** Coupons that go back to their pools as long as nobody was told their codes. */
  readonly untold: readonly UntoldCoupon[]
  /** Ids of those who turned out to be this subject. */
  readonly also: readonly string[]
  /** Communities and leaders it was related to before, by name: `community:c-1`. */
  readonly left: readonly string[]
  /** Ids of those whom it is not, although it was said to be: only an `alias` makes them one. */
  readonly apart: readonly string[]
  /** Who it turned out to be. It is then nobody itself: all that was known of it is the other's. */
  readonly into?: string
}

/** Since when a tag is on (0: it is not), and until when that is certain (0: until something happens). */
export type TagState = readonly [since: number, until: number]

/** A score's value, and until when that is certain (0: until something happens). */
export type ScoreState = readonly [value: number, until: number]

/** A message that was handed to a provider, or is about to be. */
export type SendRecord = readonly [
  at: number,
  channel: string,
  messageClass: MessageClass,
  deliveryKey: string,
  /** The journey that sent it; left out by older releases. */
  journey?: string,
]

/** One passage through a journey. It keeps the definition it began with. */
export interface Run {
  readonly id: string
  readonly journey: string
  /** Of the journey's definition. */
  readonly hash: string
  readonly key?: string
  /** When its entry event happened, or the tag that it was entered by changed. */
  readonly enteredAt: number
  /** The step at which it waits. */
  readonly step: string
  /** When it came to that step; left out by releases that did not note it. */
  readonly since?: number
  /** It waits for one of the places that the journey has, and has not been entered yet. */
  readonly pending?: { readonly startedBy?: string }
  /** When the wait ends by itself, or is looked at again; 0 while it waits for an outcome. */
  readonly until: number
  /** When the wait ends, where it may also end because conditions come to hold. */
  readonly deadline?: number
  /** When conditions that end it may come to hold by time alone; left out: never, or it has none. */
  readonly exitsAt?: number
  /** The event it was entered by, and the one that last moved it, where steps read them. */
  readonly entry?: EventRecord
  readonly event?: EventRecord
  /** The run of another journey whose end it waits for. */
  readonly child?: string
  /** What it has collected. */
  readonly digest?: Digest
  /** How many journeys led to it, each begun by what a step of the one before said; left out: none. */
  readonly link?: number
  /** The coupon issued to it last. */
  readonly coupon?: Coupon
  /** How often it has moved to another definition of its journey, and so may come to a step again; left out: never. */
  readonly moves?: number
  /** The variants that it has taken, by step, whatever definition they are of; left out: none. */
  readonly variants?: Readonly<Record<string, string>>
  /** It has reached the goal of its journey, and counts no further one, whatever definition it moves to. */
  readonly reached?: true
}

/** Whether a run still stands where a step of it has wished for something. */
export function isAt(
  { id, step, moves }: Run,
  place: { readonly run: string; readonly step: string; readonly moves?: number },
): boolean {
  return id === place.run && step === place.step && (moves ?? 0) === (place.moves ?? 0)
}

/** The step that an effect comes from. */
export interface StepSource {
  readonly journey: string
  readonly run: string
  readonly step: string
  /** How often the run had moved to another definition of its journey by then; left out: never. */
  readonly moves?: number
}

/** Events that a run has collected for one message. */
export interface Digest {
  readonly count: number
  /** What they said: of the latest, in the order in which they came. */
  readonly events: readonly Readonly<Record<string, unknown>>[]
}

export interface Coupon {
  readonly offer: string
  readonly name: string
  readonly code: string
  readonly value?: number
  /** ISO 8601. */
  readonly expiresAt?: string
}

/** A coupon whose code nobody has been told. It is forgotten once somebody may have been. */
export interface UntoldCoupon {
  /** Its grant key. */
  readonly grant: string
  readonly coupon: Coupon
  /** The step that issued it. */
  readonly source: StepSource
  /** Steps whose message or suggestion may yet tell it, each as often as it was planned. */
  readonly open: readonly string[]
  /** Why the last of those that were to tell it never did; left out: there was none. */
  readonly why?: string
}

/** A goal that may still be reached: by a run, also after it has ended, or by somebody who was kept out. */
export interface Goal {
  readonly journey: string
  readonly hash: string
  /** Left out where somebody was kept out, to compare with. */
  readonly run?: string
  readonly group?: HeldOut['reason']
  readonly key?: string
  /** The variants that the run has taken, by step. */
  readonly variants?: Readonly<Record<string, string>>
  readonly from: number
  readonly until: number
}

export const UNBORN: SubjectState = {
  at: 0,
  due: 0,
  features: LazyMap.of(),
  traits: {},
  relations: {},
  tags: LazyMap.of(),
  scores: {},
  runs: [],
  entered: 0,
  chained: [],
  schedules: {},
  entries: {},
  goals: [],
  consent: {},
  sends: [],
  untold: [],
  also: [],
  left: [],
  apart: [],
}

export function subjectName({ kind, id }: SubjectKey): string {
  return `${kind}:${id}`
}

/** Stands between the parts of an encoded state: JSON text never has it. */
const PART = '\u001e'

/**
 * The state as one line of text in three parts: a JSON object of what is read each time, the features, the tags. Members
 * that say nothing are left out.
 */
export function encodeSubject(state: SubjectState): string {
  let head = `{"at":${state.at}`
  if (state.due > 0) head += `,"due":${state.due}`
  if (state.entered > 0) head += `,"entered":${state.entered}`
  if (state.into !== undefined) head += `,"into":${JSON.stringify(state.into)}`
  for (const member of HEAD) if (!isEmpty(state[member])) head += `,"${member}":${JSON.stringify(state[member])}`
  return `${head}}${PART}${state.features.encode()}${PART}${state.tags.encode()}`
}

export function decodeSubject(text: string): SubjectState {
  const [head = '{}', features = '', tags = ''] = text.split(PART)
  const read = JSON.parse(head) as Partial<SubjectState>
  return { ...UNBORN, ...read, features: LazyMap.decode(features), tags: LazyMap.decode(tags) }
}

const HEAD = [
  ...([
    'traits',
    'relations',
    'scores',
    'runs',
    'chained',
    'schedules',
    'entries',
    'goals',
    'consent',
    'sends',
    'untold',
    'also',
    'left',
    'apart',
  ] as const),
]

function isEmpty(value: SubjectState[(typeof HEAD)[number]]): boolean {
  if (Array.isArray(value)) return value.length === 0
  for (const _ in value) return false
  return true
}

/**
 * When something about a subject next changes by itself: a tag's conditions, a score, a wait, or a journey that begins.
 * Infinity when nothing does.
 */
export function nextInstant({
  tags,
  scores,
  runs,
  schedules,
}: Pick<SubjectState, 'tags' | 'scores' | 'runs' | 'schedules'>): number {
  let next = Number.POSITIVE_INFINITY
  for (const { 1: until } of tags.values()) if (until > 0 && until < next) next = until
  for (const { 1: until } of Object.values(scores)) if (until > 0 && until < next) next = until
  for (const { until, exitsAt = 0 } of runs) {
    if (until > 0 && until < next) next = until
    if (exitsAt > 0 && exitsAt < next) next = exitsAt
  }
  for (const at of Object.values(schedules)) if (at < next) next = at
  return next
}

const NO_SCORE: ScoreState = [0, 0]

/** A score as it is kept; `[0, 0]` where nothing is. */
export function scoreOf({ scores }: Pick<SubjectState, 'scores'>, id: string): ScoreState {
  return Object.hasOwn(scores, id) ? (scores[id] ?? NO_SCORE) : NO_SCORE
}

export function hasTag({ tags }: Pick<SubjectState, 'tags'>, id: string): boolean {
  return (tags.get(id)?.[0] ?? 0) > 0
}
