// Load and check a rule pack
export { checkPack, loadPack, type PackCheck } from './loader.js'
export { definePack } from './define.js'
export { type CheckOptions, reviewPack } from './checks/meaning.js'
export { definitionsOf, type Located, type Pack, type PackSource, readPack } from './pack.js'
export { formatProblem, nearest, PackError, type Place, placeText, type Problem, Problems } from './problems.js'
export { jsonSchema } from './json-schema.js'
export { readShape, type Shape } from './zod-problems.js'
export {
  type ConditionDefinition,
  DEFINITION_KINDS,
  type Definition,
  type DefinitionKind,
  type HistoryDefinition,
  type JourneyDefinition,
  type OfferDefinition,
  type PolicyDefinition,
  type ScoreDefinition,
  type TagDefinition,
  type TemplateDefinition,
  type TestDefinition,
} from './schemas/definitions.js'
export { type ExitDefinition, exitsOf } from './schemas/journey.js'
export { MESSAGE_CLASSES, type MessageClass } from './schemas/common.js'
export { SEND_OUTCOMES, type SendOutcome, type StepAt, type StepDefinition, stepsOf } from './schemas/step.js'

// Name events
export { type CatalogueEvent, type CatalogueEventName, EVENT_CATALOGUE } from './catalogue.js'

// Run a program
export { type CompileOptions, compileProgram } from './program/compile.js'
export * from './program/program.js'
export type { CompiledScore, ScoreExplanation, TermExplanation } from './program/score.js'
export type { Feature } from './facts/feature.js'
export type { Figure } from './facts/figure.js'
export type { Template, TemplateCopy, TextResult, Rendered, RenderResult } from './templates.js'
export { DEFAULT_ZONE, firstInstantOf, isSteady, offsetAt, zoneFor } from './time-zone.js'

// Test rules
export { type CompiledExpectation, type CompiledTest, compileTests } from './program/rule-test.js'

// Evaluate conditions by themselves
export { definePredicate, type Predicate, type PropertyBag } from './conditions/predicate.js'
export type { Condition } from './conditions/condition.js'
export type {
  Evidence,
  EvidenceEvent,
  Explanation,
  FactExplanation,
  FactTurn,
  Read,
  Turn,
} from './conditions/explanation.js'
export { combined, turnOf } from './conditions/turn.js'
export { ALWAYS, holds, NEVER, until, type Verdict } from './conditions/verdict.js'
export type { ConditionLeaf, Conditions } from './conditions/tree.js'

// Words of the language
export {
  type Dated,
  type EventRecord,
  type FeatureState,
  type Others,
  RELATIONS,
  type RelationName,
  type RunPlace,
  SUBJECT_KINDS,
  type SubjectKind,
  type SubjectView,
} from './subject.js'
export { type Consent, consentOf, latestWord } from './consent.js'
export { type Tier, tierOf } from './tiers.js'
export { DURATION_FORMS, formatDuration, parseDuration } from './duration.js'
export { canonicalJson, contentHash, FORBIDDEN_KEYS, hashShare, isObject, type Json, own, pointerTo } from './json.js'
