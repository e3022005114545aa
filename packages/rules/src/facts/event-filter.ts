import * as z from 'zod'
import { EVENT_CATALOGUE } from '../catalogue.js'
import { compilePredicate, demandedValues, expandNamed } from '../conditions/predicate.js'
import { type Conditions, conditionsSchema } from '../conditions/tree.js'
import { isObject } from '../json.js'
import { compileProperty, PATH_FORMS, type Path } from '../path.js'
import type { Place } from '../problems.js'
import type { EventRecord } from '../subject.js'
import { type ConditionScope, paramsPlace } from './fact.js'
import type { Demand, EventFilter } from './feature.js'

// Editors offer what shops have in common; every other name is as good.
const eventName = z
  .string()
  .min(1)
  .max(100)
  .meta({ examples: Object.keys(EVENT_CATALOGUE) })

export const eventNames = z
  .union([eventName, z.array(eventName).min(1).max(20)])
  .describe('The name of the event, or several names.')

/** What all facts over events know. */
export const filterParams = {
  event: eventNames,
  where: conditionsSchema.optional().describe("Conditions over the event's properties."),
  item: conditionsSchema.optional().describe('Conditions over one element of its "items"; one match is enough.'),
}

export const propertyParam = z.string().min(1).max(100)

export interface FilterParams {
  readonly event: string | readonly string[]
  readonly where?: Conditions | undefined
  readonly item?: Conditions | undefined
}

/** The filter that a fact's params say. */
export function compileFilter(params: FilterParams, place: Place, scope: ConditionScope): EventFilter {
  return compileFilterAt(params, paramsPlace(place), scope)
}

/** The filter that an object at `at` says. */
export function compileFilterAt(params: FilterParams, at: Place, scope: ConditionScope): EventFilter {
  const events = [...new Set(typeof params.event === 'string' ? [params.event] : params.event)].sort()
  const within = (key: 'where' | 'item') => ({ file: at.file, pointer: `${at.pointer}/${key}` })
  const where = params.where && compilePredicate(params.where, within('where'), scope)
  const item = params.item && compilePredicate(params.item, within('item'), scope)
  const expanded = {
    where: expandChecked(params.where, within('where'), scope),
    item: expandChecked(params.item, within('item'), scope),
  }
  return {
    events,
    matches: (event) =>
      (where === undefined || where(event.properties)) && (item === undefined || itemsOf(event).some(item)),
    demand: demandOf(expanded),
    definition: { events, ...expanded },
  }
}

function expandChecked(tree: Conditions | undefined, place: Place, scope: ConditionScope): Conditions | undefined {
  return tree && scope.named.check(tree, place) ? expandNamed(tree, scope.named) : undefined
}

/** The `item` conditions as a predicate, or undefined where there are none. */
export function compileItem(params: FilterParams, place: Place, scope: ConditionScope) {
  return params.item && compilePredicate(params.item, paramsPlace(place, 'item'), scope)
}

/** The elements of an event's `items` that are objects. */
export function itemsOf(event: EventRecord): readonly Readonly<Record<string, unknown>>[] {
  const { items } = event.properties as { items?: unknown }
  return Array.isArray(items) ? items.filter(isObject) : []
}

function demandOf(trees: { where: Conditions | undefined; item: Conditions | undefined }): Demand | undefined {
  const ofEvent = demandedValues(trees.where)
  if (ofEvent !== undefined) return { of: 'event', ...ofEvent }
  const ofItem = demandedValues(trees.item)
  return ofItem === undefined ? undefined : { of: 'item', ...ofItem }
}

/** A reader of a property or path; undefined after an error has been reported. */
export function readProperty(property: string, place: Place, scope: ConditionScope): Path | undefined {
  const path = compileProperty(property)
  if (path === undefined) {
    const message = `A property is a name, or a path such as ${PATH_FORMS}.`
    scope.problems.error(paramsPlace(place, 'property'), 'path.invalid', message, { found: property })
  }
  return path
}
