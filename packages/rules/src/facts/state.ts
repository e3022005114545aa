import * as z from 'zod'
import { FORBIDDEN_KEYS, own } from '../json.js'
import { compileProperty, PATH_FORMS } from '../path.js'
import { RELATIONS, type SubjectView } from '../subject.js'
import { checkBooleanLeaf, type FactRequest, type FactType, type FactUse, paramsPlace } from './fact.js'

const traitParams = z.strictObject({ name: z.string().min(1).max(100).describe('The name of the trait.') })
const relationParams = z.strictObject({ name: z.enum(['community', 'leader']).describe('Which relation.') })
const tagParams = z.strictObject({ id: z.string().min(1).describe('The id of a tag of this pack.') })
const eventParams = z.strictObject({
  property: z.string().min(1).max(100).optional().describe("One of the event's properties."),
})

export const trait: FactType<z.infer<typeof traitParams>> = {
  name: 'trait',
  summary: 'A trait of the subject, such as its city.',
  params: traitParams,
  compile({ params: { name }, place, scope }) {
    if (FORBIDDEN_KEYS.has(name)) {
      scope.problems.error(paramsPlace(place, 'name'), 'name.reserved', 'No trait can have this name.', { found: name })
      return undefined
    }
    scope.depends.traits.add(name)
    return { read: (view) => (own(view.traits, name) as SubjectView['traits'][string])?.[0] }
  },
}

export const relation: FactType<z.infer<typeof relationParams>> = {
  name: 'relation',
  summary: 'The id of a related subject: the community of a user, the leader of a community.',
  params: relationParams,
  compile({ params: { name }, place, scope }) {
    if (!RELATIONS[scope.subject].includes(name)) {
      const message = `A ${scope.subject} has no ${name}.`
      scope.problems.error(paramsPlace(place, 'name'), 'relation.unknown', message, { found: name })
      return undefined
    }
    scope.depends.relations.add(name)
    return { read: (view) => view.relations[name]?.[0] }
  },
}

export const tag: FactType<z.infer<typeof tagParams>> = {
  name: 'tag',
  summary: 'Whether the subject has a tag: true or false.',
  params: tagParams,
  compile({ params: { id }, place, scope, leaf }) {
    if (!scope.tagIds.has(id)) {
      const message = `The pack has no tag ${JSON.stringify(id)} for a ${scope.subject}.`
      scope.problems.unknown(paramsPlace(place, 'id'), 'tag', id, scope.tagIds, message)
      return undefined
    }
    if (!checkBooleanLeaf(leaf, scope, 'A tag is there or not: compare it with true or false.')) return undefined
    scope.depends.tags.add(id)
    return { read: (view) => view.hasTag(id), reads: { kind: 'tag', id } }
  },
}

export const event: FactType<z.infer<typeof eventParams>> = {
  name: 'event',
  summary: 'The event at hand: one property of it, or with a path anything of { event, timestamp, properties }.',
  params: eventParams,
  compile: compileEvent,
}

function compileEvent({ params, place, scope, leaf }: FactRequest<z.infer<typeof eventParams>>): FactUse | undefined {
  if (scope.moment !== 'event') {
    const message =
      'There is no event at hand here: "event" is for entry, exit, waitFor and branch conditions of journeys.'
    scope.problems.error({ ...place, pointer: `${place.pointer}/fact` }, 'fact.moment', message, { found: 'event' })
    return undefined
  }
  if (params.property === undefined) {
    if (leaf !== undefined && leaf.source.path === undefined) {
      const message =
        'Say what of the event is meant: "params": { "property": "category" } or "path": "$.properties.category".'
      scope.problems.error(place, 'params.missing', message)
      return undefined
    }
    return { read: ({ event }) => event && eventDocument(event) }
  }
  const read = compileProperty(params.property)
  if (read === undefined) {
    const message = `A property is a name, or a path such as ${PATH_FORMS}.`
    scope.problems.error(paramsPlace(place, 'property'), 'path.invalid', message, { found: params.property })
    return undefined
  }
  return { read: ({ event }) => event && read(event.properties) }
}

function eventDocument({ event, at, properties }: NonNullable<SubjectView['event']>) {
  return { event, timestamp: new Date(at).toISOString(), properties }
}
