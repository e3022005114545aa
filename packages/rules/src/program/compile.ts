import { compileConditions, compileRelatedLeaf } from '../conditions/compile.js'
import type { Condition } from '../conditions/condition.js'
import type { CheckedLeaf } from '../conditions/leaf.js'
import { NamedConditions, namedTrees } from '../conditions/named.js'
import { holds, NEVER } from '../conditions/verdict.js'
import { noDependencies } from '../facts/dependencies.js'
import type { ConditionScope } from '../facts/fact.js'
import { type Feature, FeatureRegistry } from '../facts/feature.js'
import { FigureRegistry } from '../facts/figure.js'
import { canonicalJson, contentHash } from '../json.js'
import { definitionsOf, type Located, type Pack } from '../pack.js'
import { PackError, Problems } from '../problems.js'
import type { ScoreDefinition, TagDefinition } from '../schemas/definitions.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import { stepIdsOf } from '../schemas/step.js'
import { type RelationName, SUBJECT_KINDS, type SubjectKind, type SubjectView } from '../subject.js'
import { compileTemplate, type Template } from '../templates.js'
import { EventIndex, memberOf } from './event-index.js'
import { compileHistory } from './history.js'
import { compileJourney, entryDemand } from './journey.js'
import { compileOffer } from './offer.js'
import { type DerivedDraft, inOrder, readersOf } from './order.js'
import { compileControl, compilePolicy } from './policy.js'
import {
  AUDIENCE_MARK,
  type CompiledJourney,
  type CompiledStep,
  type ControlGroup,
  type Derived,
  type EventMatch,
  type Program,
  type ScheduledJourney,
  type SubjectProgram,
  VERDICT_MARK,
  type WaitCase,
} from './program.js'
import { compileTests } from './rule-test.js'
import { compileScore, tiersInOrder } from './score.js'

export interface CompileOptions {
  /** Keep every event of each window, so that explanations show exact values. For explaining, not for running. */
  readonly exact?: boolean
  /** Older definitions of journeys that some runs began with and will finish. Nobody enters them any more. */
  readonly running?: readonly JourneyDefinition[]
}

/** Compiles a pack into a program. Throws `PackError` when its parts do not fit together. */
export function compileProgram(pack: Pack, options: CompileOptions = {}): Program {
  const problems = new Problems()
  const program = compilePack(pack, problems, options)
  if (problems.hasErrors) throw new PackError(problems.list)
  return program
}

/** Compiles what it can of a pack and reports the rest. */
export function compilePack(pack: Pack, problems: Problems, options: CompileOptions = {}): Program {
  const templates = new Map<string, Template>()
  for (const { definition, place } of pack.templates) {
    templates.set(definition.id, compileTemplate(definition, place, problems))
  }
  const named = namedConditions(pack, problems)
  const control = compileControl(pack.policies, problems)
  const context: PackContext = { pack, problems, options, templates, named, control, related: new Map() }
  // From those who read to those who are read: a user's rules may add conditions for communities to keep.
  const compiled = new Map(SUBJECT_KINDS.map((kind) => [kind, compileSubject(kind, context)] as const))
  const journeys = [...compiled.values()].flatMap((subject) => subject.journeys)
  const journeyIds = new Set(pack.journeys.map(({ definition }) => definition.id))
  const history = compileHistory(pack.histories, problems)
  compileTests(pack, problems)
  return {
    hash: contentHash(canonicalJson(definitionsOf(pack)), 16),
    subjects: Object.fromEntries([...compiled].map(([kind, { program }]) => [kind, program])) as Program['subjects'],
    journeys: new Map(journeys.filter((one) => one.current).map(({ journey }) => [journey.id, journey])),
    journeysByHash: new Map(journeys.map(({ journey }) => [journey.hash, journey])),
    templates,
    offers: new Map(pack.offers.map((offer) => [offer.definition.id, compileOffer(offer, problems)])),
    policies: pack.policies
      .map(({ definition, place }) => compilePolicy(definition, place, journeyIds, problems))
      .filter((policy) => policy !== undefined),
    ...(history && { history }),
  }
}

interface PackContext {
  readonly pack: Pack
  readonly problems: Problems
  readonly options: CompileOptions
  readonly templates: ReadonlyMap<string, Template>
  readonly named: NamedConditions
  readonly control: ControlGroup | undefined
  /** Conditions that other subjects' rules read, by the kind that keeps them. */
  readonly related: Map<SubjectKind, Map<string, { leaf: CheckedLeaf; relation: RelationName }>>
}

function namedConditions(pack: Pack, problems: Problems): NamedConditions {
  const trees = namedTrees(pack.conditions)
  const named = new NamedConditions(trees, problems)
  for (const { conditions, place } of trees.values()) named.check(conditions, place)
  return named
}

const NOBODY: Condition = {
  timeless: true,
  verdict: () => NEVER,
  explain: () => ({ kind: 'any', holds: false, until: null, parts: [] }),
}

function compileSubject(kind: SubjectKind, context: PackContext) {
  const { pack, problems } = context
  const scope = subjectScope(kind, context)
  const tags = ofKind(pack.tags, kind)
  const drafts = [
    ...tags.map((tag) => draftTag(tag, scope)),
    ...ofKind(pack.scores, kind).map((score) => draftScore(score, scope)),
    ...draftVerdicts(kind, scope, context),
    ...ofKind(pack.journeys, kind).flatMap((journey) => draftAudience(journey, scope)),
  ]
  const journeyDepends = noDependencies()
  const journeys = compileJourneys(kind, tags, { ...scope, depends: journeyDepends }, context)
  const ordered = inOrder(drafts, problems)
  const reads = new Set([...ordered.flatMap(({ depends }) => [...depends.related]), ...journeyDepends.related])
  return { journeys, program: indexSubject(ordered, journeys, scope, reads) }
}

function ofKind<T extends { readonly subject?: SubjectKind | undefined }>(
  located: readonly Located<T>[],
  kind: SubjectKind,
): readonly Located<T>[] {
  return located.filter(({ definition }) => (definition.subject ?? 'user') === kind)
}

function subjectScope(kind: SubjectKind, context: PackContext): ConditionScope {
  const { pack, problems, options, related } = context
  return {
    problems,
    named: context.named,
    subject: kind,
    moment: 'state',
    features: new FeatureRegistry(),
    figures: new FigureRegistry(),
    depends: noDependencies(),
    exact: options.exact ?? false,
    tagIds: new Set(ofKind(pack.tags, kind).map(({ definition }) => definition.id)),
    scoreTiers: new Map(
      ofKind(pack.scores, kind).map(({ definition: { id, tiers } }) => [id, tiersInOrder(tiers)] as const),
    ),
    journeySteps: new Map(
      ofKind(pack.journeys, kind).map(({ definition: { id, steps } }) => [id, stepIdsOf(steps)] as const),
    ),
    relate: (relation, leaf) => {
      const { fact, operator, value, params, path } = leaf.source
      const id = `${VERDICT_MARK}${contentHash(canonicalJson({ fact, operator, value, params, path, relation }), 12)}`
      memberOf(related, relation, () => new Map()).set(id, { leaf, relation })
      return id
    },
  }
}

function draftTag({ definition, place }: Located<TagDefinition>, scope: ConditionScope): DerivedDraft {
  const depends = noDependencies()
  const { id, conditions } = definition
  if (conditions === undefined) {
    return { derived: { id, kind: 'manual', condition: NOBODY, definition }, depends, place }
  }
  const at = { ...place, pointer: `${place.pointer}/conditions` }
  const condition = compileConditions(conditions, at, { ...scope, depends })
  return { derived: { id, kind: 'computed', condition, definition }, depends, place }
}

function draftScore({ definition, place }: Located<ScoreDefinition>, scope: ConditionScope): DerivedDraft {
  const depends = noDependencies()
  return { derived: compileScore(definition, place, { ...scope, depends }), depends, place }
}

function draftVerdicts(kind: SubjectKind, scope: ConditionScope, { related }: PackContext): DerivedDraft[] {
  return [...(related.get(kind) ?? [])].map(([id, { leaf, relation }]) => {
    const depends = noDependencies()
    const condition = compileRelatedLeaf(leaf, { ...scope, depends })
    return { derived: { id, kind: 'verdict', condition, readAs: relation }, depends }
  })
}

/** Those who enter a journey each time that it begins by itself; when that is depends on their time zone. */
function draftAudience({ definition, place }: Located<JourneyDefinition>, scope: ConditionScope): DerivedDraft[] {
  const { id: journey, entry } = definition
  if (entry.on !== 'schedule') return []
  const depends = noDependencies()
  depends.traits.add('timeZone')
  const at = { ...place, pointer: `${place.pointer}/entry/conditions` }
  const condition = compileConditions(entry.conditions ?? EVERYBODY, at, { ...scope, depends })
  return [{ derived: { id: `${AUDIENCE_MARK}${journey}`, kind: 'audience', condition, journey }, depends }]
}

const EVERYBODY = { all: [] }

function compileJourneys(
  kind: SubjectKind,
  tags: readonly Located<TagDefinition>[],
  conditions: ConditionScope,
  { pack, templates, options, control }: PackContext,
): { journey: CompiledJourney; current: boolean }[] {
  const scope = {
    conditions,
    templates,
    control,
    offerIds: new Set(pack.offers.map(({ definition }) => definition.id)),
    manualTagIds: new Set(
      tags.filter(({ definition }) => !definition.conditions).map(({ definition }) => definition.id),
    ),
  }
  const ofKind = (definition: JourneyDefinition) => (definition.subject ?? 'user') === kind
  const current = pack.journeys
    .filter(({ definition }) => ofKind(definition))
    .map(({ definition, place }, rank) => ({ journey: compileJourney(definition, place, scope, rank), current: true }))
  const hashes = new Set(current.map(({ journey }) => journey.hash))
  const older = (options.running ?? [])
    .filter(ofKind)
    .map((definition) => {
      const place = { file: `(journey ${definition.id} of running runs)`, pointer: '' }
      return { journey: compileJourney(definition, place, scope, Number.POSITIVE_INFINITY), current: false }
    })
    .filter(({ journey }) => !hashes.has(journey.hash))
  return [...current, ...older]
}

function indexSubject(
  drafts: readonly DerivedDraft[],
  journeys: readonly { journey: CompiledJourney; current: boolean }[],
  { features, figures }: ConditionScope,
  reads: ReadonlySet<RelationName>,
): SubjectProgram {
  const derived = drafts.map((draft, rank): Derived => ({ ...draft.derived, rank }))
  const tags = derived.filter((one) => one.kind !== 'score')
  const scores = derived.filter((one) => one.kind === 'score')
  const featuresByEvent = new EventIndex<Feature>()
  for (const feature of features.features) featuresByEvent.add(feature, feature.events, feature.demand)
  const journeysByEvent = new EventIndex<CompiledJourney>()
  const journeysByTag = new Map<string, CompiledJourney[]>()
  const journeysByScore = new Map<string, CompiledJourney[]>()
  const journeysBySchedule = new Map<string, ScheduledJourney>()
  for (const { journey } of journeys.filter(({ current }) => current)) {
    const { entry, definition } = journey
    if (entry.on === 'event' || entry.on === 'api') {
      journeysByEvent.add(journey, [...entry.events], entryDemand(definition))
    } else if (entry.on === 'score.crossed') memberOf(journeysByScore, entry.score, () => []).push(journey)
    else if (entry.on === 'schedule') journeysBySchedule.set(journey.id, { ...journey, entry })
    else if (entry.on !== 'start') memberOf(journeysByTag, entry.tag, () => []).push(journey)
  }
  return {
    features: new Map([...features.features].map((feature) => [feature.key, feature])),
    featuresByEvent,
    derived,
    tags,
    tagsById: new Map(tags.map((tag) => [tag.id, tag])),
    scoresById: new Map(scores.map((score) => [score.id, score])),
    readers: readersOf(drafts, derived),
    bornWith: derived.filter((one, index) => isBornWith(one) || (drafts[index]?.depends.figures.size ?? 0) > 0),
    figures: figures.figures,
    journeysByEvent,
    listensTo: new Set([
      ...[...features.features].flatMap((feature) => feature.events),
      ...journeys.flatMap(({ journey }) => [...eventsOf(journey)]),
    ]),
    journeysByTag,
    journeysByScore,
    journeysBySchedule,
    reads,
  }
}

/** Names of the events that a journey can be moved by. */
function eventsOf({ entry, exits, goal, steps }: CompiledJourney): string[] {
  const parts = [entry, ...exits, goal, ...steps.flatMap(waitedFor)]
  const matches = parts.filter((part) => part !== undefined && 'events' in part)
  return matches.flatMap(({ events }) => [...events])
}

function waitedFor(step: CompiledStep): readonly (WaitCase | EventMatch)[] {
  if (step.verb === 'waitFor') return step.cases
  return step.verb === 'digest' ? [step.match] : []
}

/** A subject of which nothing is known yet. */
const UNKNOWN_SUBJECT: SubjectView = {
  at: 0,
  features: new Map(),
  traits: {},
  relations: {},
  consent: {},
  runs: [],
  hasTag: () => false,
  score: () => undefined,
  relatedHolds: () => false,
  others: () => undefined,
}

/** Whether it is on a subject of which nothing is known, has a value there, or will by time alone. */
function isBornWith(derived: Derived): boolean {
  if (derived.kind === 'score') {
    const [value, until] = derived.evaluate(UNKNOWN_SUBJECT)
    return value !== 0 || Number.isFinite(until)
  }
  const verdict = derived.condition.verdict(UNKNOWN_SUBJECT)
  return holds(verdict) || Number.isFinite(verdict)
}
