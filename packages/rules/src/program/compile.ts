import { compileConditions, compileRelatedLeaf } from '../conditions/compile.js'
import type { Condition } from '../conditions/condition.js'
import type { CheckedLeaf } from '../conditions/leaf.js'
import { NamedConditions, type NamedTree } from '../conditions/named.js'
import { holds, NEVER } from '../conditions/verdict.js'
import { type ConditionScope, type Dependencies, noDependencies } from '../facts/fact.js'
import { type Feature, FeatureRegistry } from '../facts/feature.js'
import { canonicalJson, contentHash } from '../json.js'
import { definitionsOf, type Located, type Pack } from '../pack.js'
import { PackError, Problems } from '../problems.js'
import type { TagDefinition } from '../schemas/definitions.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import { type RelationName, SUBJECT_KINDS, type SubjectKind, type SubjectView } from '../subject.js'
import { compileTemplate, type Template } from '../templates.js'
import { EventIndex, memberOf } from './event-index.js'
import { compileJourney, entryDemand } from './journey.js'
import { compilePolicy } from './policy.js'
import { type CompiledJourney, type CompiledTag, type Program, type SubjectProgram, VERDICT_MARK } from './program.js'
import { warnAbout } from './warnings.js'

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
  const context: PackContext = { pack, problems, options, templates, named, related: new Map() }
  // From those who read to those who are read: a user's rules may add conditions for communities to keep.
  const compiled = new Map(SUBJECT_KINDS.map((kind) => [kind, compileSubject(kind, context)] as const))
  const journeys = [...compiled.values()].flatMap((subject) => subject.journeys)
  warnAbout(pack, problems)
  return {
    hash: contentHash(canonicalJson(definitionsOf(pack)), 16),
    subjects: Object.fromEntries([...compiled].map(([kind, { program }]) => [kind, program])) as Program['subjects'],
    journeys: new Map(journeys.filter((one) => one.current).map(({ journey }) => [journey.id, journey])),
    journeysByHash: new Map(journeys.map(({ journey }) => [journey.hash, journey])),
    templates,
    offers: new Map(pack.offers.map(({ definition }) => [definition.id, definition])),
    policies: pack.policies
      .map(({ definition, place }) => compilePolicy(definition, place, problems))
      .filter((policy) => policy !== undefined),
  }
}

interface PackContext {
  readonly pack: Pack
  readonly problems: Problems
  readonly options: CompileOptions
  readonly templates: ReadonlyMap<string, Template>
  readonly named: NamedConditions
  /** Conditions that other subjects' rules read, by the kind that keeps them. */
  readonly related: Map<SubjectKind, Map<string, { leaf: CheckedLeaf; relation: RelationName }>>
}

function namedConditions(pack: Pack, problems: Problems): NamedConditions {
  const trees = new Map<string, NamedTree>()
  for (const { definition, place } of pack.conditions) {
    trees.set(definition.id, {
      conditions: definition.conditions,
      place: { ...place, pointer: `${place.pointer}/conditions` },
    })
  }
  const named = new NamedConditions(trees, problems)
  for (const { conditions, place } of trees.values()) named.check(conditions, place)
  return named
}

interface TagDraft {
  readonly id: string
  readonly kind: CompiledTag['kind']
  readonly condition: Condition
  readonly depends: Dependencies
  readonly readAs?: RelationName
  readonly definition?: TagDefinition
}

const NOBODY: Condition = {
  timeless: true,
  verdict: () => NEVER,
  explain: () => ({ kind: 'any', holds: false, until: null, parts: [] }),
}

function compileSubject(kind: SubjectKind, context: PackContext) {
  const { pack, problems } = context
  const located = pack.tags.filter(({ definition }) => (definition.subject ?? 'user') === kind)
  const scope = subjectScope(kind, located, context)
  const drafts = [...located.map((tag) => draftTag(tag, scope)), ...draftVerdicts(kind, scope, context)]
  const journeyDepends = noDependencies()
  const journeys = compileJourneys(kind, located, { ...scope, depends: journeyDepends }, context)
  const tags = sortTags(drafts, located, problems)
  const reads = new Set([...tags.flatMap(({ depends }) => [...depends.related]), ...journeyDepends.related])
  return { journeys, program: indexSubject(tags, journeys, scope.features, reads) }
}

function subjectScope(
  kind: SubjectKind,
  tags: readonly Located<TagDefinition>[],
  context: PackContext,
): ConditionScope {
  const { problems, options, related } = context
  return {
    problems,
    named: context.named,
    subject: kind,
    moment: 'state',
    features: new FeatureRegistry(),
    depends: noDependencies(),
    exact: options.exact ?? false,
    tagIds: new Set(tags.map(({ definition }) => definition.id)),
    relate: (relation, leaf) => {
      const { fact, operator, value, params, path } = leaf.source
      const id = `${VERDICT_MARK}${contentHash(canonicalJson({ fact, operator, value, params, path, relation }), 12)}`
      memberOf(related, relation, () => new Map()).set(id, { leaf, relation })
      return id
    },
  }
}

function draftTag({ definition, place }: Located<TagDefinition>, scope: ConditionScope): TagDraft {
  const depends = noDependencies()
  const { id, conditions } = definition
  if (conditions === undefined) return { id, kind: 'manual', condition: NOBODY, depends, definition }
  const at = { ...place, pointer: `${place.pointer}/conditions` }
  return {
    id,
    kind: 'computed',
    condition: compileConditions(conditions, at, { ...scope, depends }),
    depends,
    definition,
  }
}

function draftVerdicts(kind: SubjectKind, scope: ConditionScope, { related }: PackContext): TagDraft[] {
  return [...(related.get(kind) ?? [])].map(([id, { leaf, relation }]) => {
    const depends = noDependencies()
    return {
      id,
      kind: 'verdict',
      condition: compileRelatedLeaf(leaf, { ...scope, depends }),
      depends,
      readAs: relation,
    }
  })
}

function compileJourneys(
  kind: SubjectKind,
  tags: readonly Located<TagDefinition>[],
  conditions: ConditionScope,
  { pack, templates, options }: PackContext,
): { journey: CompiledJourney; current: boolean }[] {
  const scope = {
    conditions,
    templates,
    offerIds: new Set(pack.offers.map(({ definition }) => definition.id)),
    manualTagIds: new Set(
      tags.filter(({ definition }) => !definition.conditions).map(({ definition }) => definition.id),
    ),
  }
  const ofKind = (definition: JourneyDefinition) => (definition.subject ?? 'user') === kind
  const current = pack.journeys
    .filter(({ definition }) => ofKind(definition))
    .map(({ definition, place }) => ({ journey: compileJourney(definition, place, scope), current: true }))
  const hashes = new Set(current.map(({ journey }) => journey.hash))
  const older = (options.running ?? [])
    .filter(ofKind)
    .map((definition) => {
      const place = { file: `(journey ${definition.id} of running runs)`, pointer: '' }
      return { journey: compileJourney(definition, place, scope), current: false }
    })
    .filter(({ journey }) => !hashes.has(journey.hash))
  return [...current, ...older]
}

/** Tags after the tags they read; circles are reported. */
function sortTags(
  drafts: readonly TagDraft[],
  located: readonly Located<TagDefinition>[],
  problems: Problems,
): TagDraft[] {
  const byId = new Map(drafts.map((draft) => [draft.id, draft]))
  const sorted = new Set<TagDraft>()
  const visit = (draft: TagDraft, trail: readonly string[]) => {
    if (sorted.has(draft)) return
    if (trail.includes(draft.id)) {
      const place = located.find(({ definition }) => definition.id === draft.id)?.place ?? { file: '', pointer: '' }
      const at = { ...place, pointer: `${place.pointer}/conditions` }
      const circle = [...trail.slice(trail.indexOf(draft.id)), draft.id].join(' -> ')
      problems.error(at, 'tag.cycle', `These tags depend on each other in a circle: ${circle}.`)
      return
    }
    for (const id of draft.depends.tags) {
      const read = byId.get(id)
      if (read !== undefined) visit(read, [...trail, draft.id])
    }
    sorted.add(draft)
  }
  for (const draft of drafts) visit(draft, [])
  return [...sorted]
}

function indexSubject(
  drafts: readonly TagDraft[],
  journeys: readonly { journey: CompiledJourney; current: boolean }[],
  features: FeatureRegistry,
  reads: ReadonlySet<RelationName>,
): SubjectProgram {
  const tags = drafts.map(({ depends: _, ...draft }, rank): CompiledTag => ({ ...draft, rank }))
  const featuresByEvent = new EventIndex<Feature>()
  for (const feature of features.features) featuresByEvent.add(feature, feature.events, feature.demand)
  const journeysByEvent = new EventIndex<CompiledJourney>()
  const journeysByTag = new Map<string, CompiledJourney[]>()
  for (const { journey } of journeys.filter(({ current }) => current)) {
    const { entry, definition } = journey
    if (entry.on === 'event') journeysByEvent.add(journey, [...entry.events], entryDemand(definition.entry))
    else memberOf(journeysByTag, entry.tag, () => []).push(journey)
  }
  return {
    features: new Map([...features.features].map((feature) => [feature.key, feature])),
    featuresByEvent,
    tags,
    tagsById: new Map(tags.map((tag) => [tag.id, tag])),
    tagsByFeature: readersOf(drafts, tags, 'features'),
    tagsByTrait: readersOf(drafts, tags, 'traits'),
    tagsByRelation: readersOf(drafts, tags, 'relations'),
    tagsByTag: readersOf(drafts, tags, 'tags'),
    tagsByRelated: readersOf(drafts, tags, 'related'),
    bornWith: tags.filter(({ condition }) => holds(condition.verdict(UNKNOWN_SUBJECT))),
    journeysByEvent,
    listensTo: new Set([
      ...[...features.features].flatMap((feature) => feature.events),
      ...journeys.flatMap(({ journey }) => [...eventsOf(journey)]),
    ]),
    journeysByTag,
    reads,
  }
}

/** Names of the events that a journey can be moved by. */
function eventsOf({ entry, exit, goal, steps }: CompiledJourney): string[] {
  const matches = [entry, exit, goal, ...steps].filter((part) => part !== undefined && 'events' in part)
  return matches.flatMap(({ events }) => [...events])
}

function readersOf<K extends keyof Dependencies>(drafts: readonly TagDraft[], tags: readonly CompiledTag[], kind: K) {
  type Name = Dependencies[K] extends Set<infer N> ? N : never
  const readers = new Map<Name, CompiledTag[]>()
  drafts.forEach(({ depends }, index) => {
    const tag = tags[index]
    if (tag !== undefined) for (const name of depends[kind]) memberOf(readers, name as Name, () => []).push(tag)
  })
  return readers
}

/** A subject of which nothing is known yet. */
const UNKNOWN_SUBJECT: SubjectView = {
  at: 0,
  features: new Map(),
  traits: {},
  relations: {},
  hasTag: () => false,
  relatedHolds: () => false,
}
