import type * as z from 'zod'
import { checkDocument } from './document.js'
import { isObject, pointerTo } from './json.js'
import { type Place, type Problems, placeText } from './problems.js'
import { repair } from './repair.js'
import {
  type ConditionDefinition,
  DEFINITION_KINDS,
  DEFINITION_SCHEMAS,
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
import { readShape } from './zod-problems.js'

/** A definition and where it stands. */
export interface Located<T> {
  readonly definition: T
  readonly place: Place
}

/** The objects of a rule pack, each of the right shape. Whether they fit together is the compiler's to say. */
export interface Pack {
  readonly tags: readonly Located<TagDefinition>[]
  readonly scores: readonly Located<ScoreDefinition>[]
  readonly conditions: readonly Located<ConditionDefinition>[]
  readonly journeys: readonly Located<JourneyDefinition>[]
  readonly templates: readonly Located<TemplateDefinition>[]
  readonly offers: readonly Located<OfferDefinition>[]
  readonly policies: readonly Located<PolicyDefinition>[]
  readonly histories: readonly Located<HistoryDefinition>[]
  readonly tests: readonly Located<TestDefinition>[]
}

/** One rule file: its name and its parsed JSON, an object or a list of objects. */
export interface PackSource {
  readonly file: string
  readonly value: unknown
}

/** Reads parsed rule files into a pack. All that is wrong is reported; what is right is in the pack all the same. */
export function readPack(sources: readonly PackSource[], problems: Problems): Pack {
  const located: Located<Definition>[] = []
  for (const { file, value } of sources) {
    if (!checkDocument(value, { file, pointer: '' }, problems)) continue
    const list = Array.isArray(value) ? value.map((one, index) => [one, `/${index}`] as const) : [[value, ''] as const]
    for (const [object, pointer] of list) {
      const definition = readDefinition(object, { file, pointer }, problems)
      if (definition !== undefined) located.push({ definition, place: { file, pointer } })
    }
  }
  reportDuplicates(located, problems)
  return packOf(located)
}

function packOf(located: readonly Located<Definition>[]): Pack {
  const ofKind = <K extends DefinitionKind>(kind: K) =>
    located.filter((one): one is Located<Extract<Definition, { kind: K }>> => one.definition.kind === kind)
  return {
    tags: ofKind('tag'),
    scores: ofKind('score'),
    conditions: ofKind('condition'),
    journeys: ofKind('journey'),
    templates: ofKind('template'),
    offers: ofKind('offer'),
    policies: ofKind('policy'),
    histories: ofKind('history'),
    tests: ofKind('test'),
  }
}

/** Every rule of a pack, in a stable order. Its tests are none. */
export function definitionsOf(pack: Pack): readonly Definition[] {
  const all = [
    pack.tags,
    pack.scores,
    pack.conditions,
    pack.journeys,
    pack.templates,
    pack.offers,
    pack.policies,
    pack.histories,
  ].flat()
  return all.map((located) => located.definition)
}

function readDefinition(object: unknown, place: Place, problems: Problems): Definition | undefined {
  if (!isObject(object)) {
    problems.error(place, 'object.expected', 'A rule is a JSON object with "kind" and "id".', { found: object })
    return undefined
  }
  const { kind, id } = object
  if (kind === undefined) {
    problems.error(place, 'key.missing', `"kind" is missing; it should be one of ${DEFINITION_KINDS.join(', ')}.`)
    return undefined
  }
  if (typeof kind !== 'string' || !Object.hasOwn(DEFINITION_SCHEMAS, kind)) {
    const message = `"kind" should be one of ${DEFINITION_KINDS.join(', ')}.`
    const at = { ...place, pointer: pointerTo(place.pointer, 'kind') }
    problems.error(at, 'kind.unknown', message, { found: kind, name: kind, known: DEFINITION_KINDS })
    return undefined
  }
  const schema: z.ZodType<Definition> = DEFINITION_SCHEMAS[kind as DefinitionKind]
  const shape = readShape(schema, object, place, problems)
  if (shape.ok) return shape.value
  // What is right of it is checked further, so that its author sees all that is wrong at once.
  const repaired = schema.safeParse(repair(object, shape.wrong))
  if (repaired.success) return repaired.data
  if (typeof id === 'string') problems.refuse(kind, id)
  return undefined
}

function reportDuplicates(located: readonly Located<Definition>[], problems: Problems): void {
  const seen = new Map<string, Place>()
  for (const { definition, place } of located) {
    if (definition.kind === 'history') continue
    const name = `${definition.kind} ${definition.id}`
    const first = seen.get(name)
    if (first === undefined) seen.set(name, place)
    else {
      const message = `There is already a ${definition.kind} "${definition.id}", at ${placeText(first)}.`
      problems.error({ ...place, pointer: `${place.pointer}/id` }, 'id.duplicate', message, { found: definition.id })
    }
  }
}
