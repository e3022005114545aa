import { checkDocument, checkSize } from '../document.js'
import { isObject } from '../json.js'
import type { Operator } from '../operators.js'
import type { Path } from '../path.js'
import { PackError, type Place, Problems } from '../problems.js'
import { readShape } from '../zod-problems.js'
import { type CheckedLeaf, checkLeaf, readPath } from './leaf.js'
import { type NamedConditions, noNamedConditions } from './named.js'
import { type Conditions, conditionsSchema } from './tree.js'

/** A compiled condition tree over the properties of one object. */
export type Predicate = (properties: PropertyBag) => boolean

export type PropertyBag = Readonly<Record<string, unknown>>

export interface PredicateScope {
  readonly problems: Problems
  readonly named: NamedConditions
}

/**
 * Compiles conditions whose facts are properties of an object (`where`, `item`, or any plain record).
 *
 * Verdicts equal json-rules-engine's with `allowUndefinedFacts`, except that nothing throws: see docs/write-a-rule.md.
 */
export function compilePredicate(tree: Conditions, place: Place, scope: PredicateScope): Predicate {
  return scope.named.check(tree, place) ? compileTree(tree, place, scope) : () => false
}

function compileTree(tree: Conditions, place: Place, scope: PredicateScope): Predicate {
  if ('all' in tree) return conjunction(compileList(tree.all, 'all', place, scope))
  if ('any' in tree) {
    refuseEmptyAny(tree.any, place, scope.problems)
    return disjunction(compileList(tree.any, 'any', place, scope))
  }
  if ('not' in tree) {
    const inner = compileTree(tree.not, { ...place, pointer: `${place.pointer}/not` }, scope)
    return (properties) => !inner(properties)
  }
  if ('condition' in tree) {
    const target = scope.named.find(tree.condition)
    return target === undefined ? () => false : compileTree(target.conditions, target.place, scope)
  }
  const leaf = checkLeaf(tree, place, scope.problems)
  return leaf === undefined ? () => false : compileComparison(leaf, scope.problems)
}

/** Compiles a tree that stands by itself. Throws `PackError` when it is not right. */
export function definePredicate(tree: unknown): Predicate {
  const problems = new Problems()
  const place = { file: '(conditions)', pointer: '' }
  checkSize(tree, place, problems)
  if (!checkDocument(tree, place, problems)) throw new PackError(problems.list)
  const shape = readShape(conditionsSchema, tree, place, problems)
  if (!shape.ok) throw new PackError(problems.list)
  const predicate = compilePredicate(shape.value, place, { problems, named: noNamedConditions(problems) })
  if (problems.hasErrors) throw new PackError(problems.list)
  return predicate
}

export function refuseEmptyAny(list: readonly unknown[], place: Place, problems: Problems): void {
  if (list.length > 0) return
  problems.error(
    { ...place, pointer: `${place.pointer}/any` },
    'conditions.emptyAny',
    'An empty "any" is ambiguous: json-rules-engine calls it true. Leave it out, or write the conditions it should have.',
    { found: list },
  )
}

function compileList(list: readonly Conditions[], key: 'all' | 'any', place: Place, scope: PredicateScope) {
  return list.map((tree, index) => compileTree(tree, { ...place, pointer: `${place.pointer}/${key}/${index}` }, scope))
}

// Written out for the usual lengths: a loop over an array of closures costs twice as much as these calls.
function conjunction(parts: readonly Predicate[]): Predicate {
  const [a, b, c, d] = parts
  if (a === undefined) return () => true
  if (b === undefined) return a
  if (c === undefined) return (bag) => a(bag) && b(bag)
  if (d === undefined) return (bag) => a(bag) && b(bag) && c(bag)
  if (parts.length === 4) return (bag) => a(bag) && b(bag) && c(bag) && d(bag)
  return (bag) => {
    for (const part of parts) if (!part(bag)) return false
    return true
  }
}

function disjunction(parts: readonly Predicate[]): Predicate {
  const [a, b, c, d] = parts
  if (a === undefined) return () => true
  if (b === undefined) return a
  if (c === undefined) return (bag) => a(bag) || b(bag)
  if (d === undefined) return (bag) => a(bag) || b(bag) || c(bag)
  if (parts.length === 4) return (bag) => a(bag) || b(bag) || c(bag) || d(bag)
  return (bag) => {
    for (const part of parts) if (part(bag)) return true
    return false
  }
}

function compileComparison(leaf: CheckedLeaf, problems: Problems): Predicate {
  const { source, place } = leaf
  refuseParams(source.params, place, problems)
  if (leaf.reference !== undefined) {
    const { fact, path, params } = leaf.reference
    const at = { ...place, pointer: `${place.pointer}/value` }
    refuseParams(params, at, problems)
    const left = reader(source.fact, leaf.path)
    const right = reader(fact, path === undefined ? undefined : readPath(path, at, problems))
    const { test } = leaf
    return (bag) => test(left(bag), right(bag))
  }
  if (leaf.decorators.length === 0 && leaf.path === undefined && !(source.fact in Object.prototype)) {
    return plainComparison(leaf) ?? generalComparison(leaf)
  }
  return generalComparison(leaf)
}

function refuseParams(params: PropertyBag | undefined, place: Place, problems: Problems): void {
  if (params === undefined) return
  const at = { ...place, pointer: `${place.pointer}/params` }
  const message = 'A property takes no params: conditions here look at one object only.'
  problems.error(at, 'params.unexpected', message, { found: params })
}

function generalComparison({ source, path, test, constant }: CheckedLeaf): Predicate {
  const read = reader(source.fact, path)
  return (bag) => test(read(bag), constant)
}

function reader(fact: string, path: Path | undefined): (bag: PropertyBag) => unknown {
  // A name that Object.prototype also has must be looked up as an own property; for all others, plain access is faster.
  const get =
    fact in Object.prototype
      ? (bag: PropertyBag) => (Object.hasOwn(bag, fact) ? bag[fact] : undefined)
      : (bag: PropertyBag) => bag[fact]
  return path === undefined ? get : (bag) => path(get(bag))
}

/** The commonest comparisons, each a closure of its own so that the engine can inline it. */
function plainComparison({ source, operatorName: operator, constant, test }: CheckedLeaf): Predicate | undefined {
  const { fact } = source
  if (operator === 'equal') return (bag) => bag[fact] === constant
  if (operator === 'notEqual') return (bag) => bag[fact] !== constant
  if (operator === 'in' && Array.isArray(constant)) return membership(fact, constant)
  if (operator === 'contains') {
    return (bag) => {
      const value = bag[fact]
      return Array.isArray(value) && value.includes(constant)
    }
  }
  return typeof constant === 'number' ? plainOrdering(fact, operator, constant, test) : undefined
}

function membership(fact: string, constants: readonly unknown[]): Predicate {
  if (constants.length <= 8) return (bag) => constants.indexOf(bag[fact]) > -1
  const set = new Set(constants)
  return (bag) => set.has(bag[fact])
}

function plainOrdering(fact: string, operator: string, bound: number, test: Operator): Predicate | undefined {
  switch (operator) {
    case 'greaterThan':
      return (bag) => {
        const value = bag[fact]
        return typeof value === 'number' ? value > bound : test(value, bound)
      }
    case 'greaterThanInclusive':
      return (bag) => {
        const value = bag[fact]
        return typeof value === 'number' ? value >= bound : test(value, bound)
      }
    case 'lessThan':
      return (bag) => {
        const value = bag[fact]
        return typeof value === 'number' ? value < bound : test(value, bound)
      }
    case 'lessThanInclusive':
      return (bag) => {
        const value = bag[fact]
        return typeof value === 'number' ? value <= bound : test(value, bound)
      }
    default:
      return undefined
  }
}

/**
 * The values that a top-level `equal` or `in` demands of one property, if there is one: what an index of predicates by
 * property value needs to know. A predicate with such a demand is false for every other value.
 */
export function demandedValues(
  tree: Conditions | undefined,
): { readonly property: string; readonly values: readonly unknown[] } | undefined {
  if (tree === undefined) return undefined
  if ('all' in tree) {
    for (const part of tree.all) {
      const demand = demandedValues(part)
      if (demand !== undefined) return demand
    }
    return undefined
  }
  if (!('fact' in tree) || tree.path !== undefined || isObject(tree.value)) return undefined
  if (tree.operator === 'equal') return { property: tree.fact, values: [tree.value] }
  if (tree.operator === 'in' && Array.isArray(tree.value)) return { property: tree.fact, values: tree.value }
  return undefined
}

/**
 * The tree with its named conditions written out and without notes: what it means, whatever the names. For trees that
 * have been compiled, so that their names are known to be right; of others, the names stay.
 */
export function expandNamed(tree: Conditions, named: NamedConditions): Conditions {
  const inner = (part: Conditions) => expandNamed(part, named)
  if ('all' in tree) return { all: tree.all.map(inner) }
  if ('any' in tree) return { any: tree.any.map(inner) }
  if ('not' in tree) return { not: inner(tree.not) }
  if ('condition' in tree) {
    const target = named.find(tree.condition)
    return target === undefined ? tree : inner(target.conditions)
  }
  const { fact, operator, value, params, path } = tree
  return { fact, operator, value, ...(params && { params }), ...(path && { path }) }
}
