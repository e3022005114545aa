import type {
  CompiledTag,
  EventRecord,
  FeatureState,
  Others,
  Program,
  RelationName,
  SubjectProgram,
  SubjectView,
} from '@linli/rules'
import type { Decision, DecisionKind, Effect, Occasion } from './decision.js'
import type { LazyMap, ReadonlyLazyMap } from './lazy-map.js'
import {
  hasTag,
  type Run,
  type ScoreState,
  type SubjectKey,
  type SubjectState,
  scoreOf,
  subjectName,
  type TagState,
} from './subject.js'
import type { Surroundings } from './surroundings.js'

/** A tag that was put on or taken off, or a score that has another value. With `quiet` it ends runs, and begins none. */
export type Change =
  | { readonly kind: 'tag'; readonly id: string; readonly added: boolean; readonly quiet?: true }
  | { readonly kind: 'score'; readonly id: string; readonly from: number; readonly to: number; readonly quiet?: true }

/**
 * A subject while it is being advanced: a copy of its state, written part by part, with the decisions and effects so far.
 * It lives inside one call of `advance`; nothing outside sees it change.
 */
export class Draft implements SubjectView {
  readonly name: string
  readonly rules: SubjectProgram
  readonly decisions: Decision[] = []
  readonly effects: Effect[] = []
  at: number
  event: EventRecord | undefined
  /** The message id of the event that is being taken in; undefined while time alone, or word from elsewhere, moves the subject. */
  cause: string | undefined
  /** How long the chain of journeys is, each begun by what a step of the one before said, that led to what happens now. */
  link = 0
  /** Why tags and scores change now, where it is not what happens; `quiet`: journeys take no notice. */
  occasion: { readonly reason: Occasion; readonly quiet: boolean } | undefined
  due: number
  features: ReadonlyLazyMap<FeatureState>
  traits: SubjectState['traits']
  relations: SubjectState['relations']
  tags: ReadonlyLazyMap<TagState>
  scores: SubjectState['scores']
  runs: readonly Run[]
  entered: number
  chained: SubjectState['chained']
  schedules: SubjectState['schedules']
  entries: SubjectState['entries']
  goals: SubjectState['goals']
  consent: SubjectState['consent']
  left: SubjectState['left']
  untold: SubjectState['untold']
  /** What journeys have not been told of. */
  readonly changes: Change[] = []
  /** Steps that are to start another journey. */
  readonly starts: { readonly run: string; readonly step: string }[] = []
  /** Journeys whose runs began, moved or ended since tags and scores were last asked about them. */
  readonly movedJourneys = new Set<string>()
  /** Whether others may have to be compared with something else from the next baseline on. */
  figuresMoved = false
  private ownFeatures: LazyMap<FeatureState> | undefined
  private ownTags: LazyMap<TagState> | undefined

  constructor(
    readonly key: SubjectKey,
    private readonly before: SubjectState,
    readonly program: Program,
    private readonly surroundings: Surroundings,
  ) {
    this.name = subjectName(key)
    this.rules = program.subjects[key.kind]
    this.at = before.at
    this.due = before.due === 0 ? Number.POSITIVE_INFINITY : before.due
    this.features = before.features
    this.traits = before.traits
    this.relations = before.relations
    this.tags = before.tags
    this.scores = before.scores
    this.runs = before.runs
    this.entered = before.entered
    this.chained = before.chained
    this.schedules = before.schedules
    this.entries = before.entries
    this.goals = before.goals
    this.consent = before.consent
    this.left = before.left
    this.untold = before.untold
  }

  state(): SubjectState {
    const {
      at,
      features,
      traits,
      relations,
      tags,
      scores,
      runs,
      entered,
      chained,
      schedules,
      entries,
      goals,
      consent,
      left,
      untold,
    } = this
    const due = Number.isFinite(this.due) ? this.due : 0
    const { sends, also, apart } = this.before
    return {
      at,
      due,
      features,
      traits,
      relations,
      tags,
      scores,
      runs,
      entered,
      chained,
      schedules,
      entries,
      goals,
      consent,
      sends,
      untold,
      also,
      left,
      apart,
    }
  }

  hasTag(id: string): boolean {
    return hasTag(this, id)
  }

  score(id: string): number {
    return scoreOf(this, id)[0]
  }

  relatedHolds(relation: RelationName, verdict: string): boolean {
    const id = this.relations[relation]?.[0]
    return id !== undefined && this.surroundings.relatedHolds(relation, id, verdict)
  }

  others(figure: string): Others | undefined {
    return this.surroundings.others(this.key, figure)
  }

  writeFeature(key: string, state: FeatureState): void {
    this.ownFeatures ??= this.features.copy()
    this.features = this.ownFeatures
    this.ownFeatures.set(key, state)
    this.noteFigures('features', key)
  }

  writeTag(id: string, state: TagState | undefined): void {
    this.ownTags ??= this.tags.copy()
    this.tags = this.ownTags
    if (state === undefined) return this.ownTags.delete(id)
    this.ownTags.set(id, state)
    this.mayChangeAt(state[1])
  }

  writeScore(id: string, state: ScoreState): void {
    const [value, until] = state
    const { [id]: _, ...others } = this.scores
    this.scores = value === 0 && until === 0 ? others : { ...this.scores, [id]: state }
    this.mayChangeAt(until)
    this.noteFigures('scores', id)
  }

  /** Notes that figures which others are compared with may have changed. */
  noteFigures(kind: 'features' | 'traits' | 'scores', name: string): void {
    for (const { depends } of this.rules.figures.values()) if (depends[kind].has(name)) this.figuresMoved = true
  }

  /** Runs as they are now, one of this journey among them changed. */
  writeRuns(runs: readonly Run[], journey: string): void {
    this.runs = runs
    for (const { until, exitsAt = 0 } of runs) {
      this.mayChangeAt(until)
      this.mayChangeAt(exitsAt)
    }
    if (this.rules.readers.journeys.has(journey)) this.movedJourneys.add(journey)
  }

  /** When a journey next begins by itself; undefined: it does not. */
  writeSchedule(journey: string, at: number | undefined): void {
    const { [journey]: known, ...others } = this.schedules
    if (at !== undefined) this.schedules = { ...others, [journey]: at }
    else if (known !== undefined) this.schedules = others
    this.mayChangeAt(at ?? 0)
  }

  /** Something changes by itself at `until`, unless it is 0. */
  private mayChangeAt(until: number): void {
    if (until > 0 && until < this.due) this.due = until
  }

  /** Puts a tag on or takes it off, and says so. */
  changeTag(tag: CompiledTag, added: boolean, until: number): void {
    this.writeTag(tag.id, added || until > 0 ? [added ? this.at : 0, until] : undefined)
    if (tag.kind === 'verdict') {
      if (tag.readAs !== undefined) this.effects.push(this.refresh(tag.readAs))
      return
    }
    if (tag.kind === 'audience') return
    this.decide(added ? 'tag.added' : 'tag.removed', tag.id, this.because())
    this.changes.push({ kind: 'tag', id: tag.id, added })
  }

  /** What decisions about tags and scores say of the occasion. */
  because(): { readonly reason?: Occasion } {
    return this.occasion === undefined ? {} : { reason: this.occasion.reason }
  }

  /** What those who hear of it are told, where journeys take no notice. */
  quietly(): { readonly quietly?: Occasion } {
    return this.occasion?.quiet ? { quietly: this.occasion.reason } : {}
  }

  private refresh(readAs: RelationName): Effect {
    return { kind: 'refresh', readAs, ...this.quietly() }
  }

  decide(decision: DecisionKind, rule: string, details: Readonly<Record<string, unknown>> = {}): void {
    const cause = this.cause === undefined ? undefined : { messageId: this.cause }
    this.decisions.push({ at: this.at, subject: this.name, decision, rule, ...details, ...cause })
  }
}
