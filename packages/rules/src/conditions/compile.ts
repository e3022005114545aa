import { FACT_TYPES } from '../facts/catalogue.js'
import { evidenceFor } from '../facts/evidence.js'
import { type ConditionScope, type FactSource, type FactType, type FactUse, paramsPlace } from '../facts/fact.js'
import type { Place } from '../problems.js'
import { RELATIONS, type RelationName, type SubjectView } from '../subject.js'
import { readShape } from '../zod-problems.js'
import { compareOverTime } from './comparison.js'
import { allOf, anyOf, type Condition, namedAs, notOf } from './condition.js'
import { judged } from './explanation.js'
import { type CheckedLeaf, checkLeaf, readPath } from './leaf.js'
import { refuseEmptyAny } from './predicate.js'
import type { Conditions } from './tree.js'
import { turnOfLeaf } from './turn.js'
import { ALWAYS, NEVER, type Verdict } from './verdict.js'

/** Stands for a condition that was refused, so that checking can go on. */
const REFUSED: Condition = {
  timeless: true,
  verdict: () => NEVER,
  explain: () => ({ kind: 'any', ...judged(NEVER), parts: [] }),
}

/** Compiles conditions about a subject. What is wrong is reported to `scope.problems`. */
export function compileConditions(tree: Conditions, place: Place, scope: ConditionScope): Condition {
  return scope.named.check(tree, place) ? compileTree(tree, place, scope) : REFUSED
}

function compileTree(tree: Conditions, place: Place, scope: ConditionScope): Condition {
  const list = (trees: readonly Conditions[], key: string) =>
    trees.map((part, index) => compileTree(part, { ...place, pointer: `${place.pointer}/${key}/${index}` }, scope))
  if ('all' in tree) return allOf(list(tree.all, 'all'))
  if ('any' in tree) {
    refuseEmptyAny(tree.any, place, scope.problems)
    return anyOf(list(tree.any, 'any'))
  }
  if ('not' in tree) return notOf(compileTree(tree.not, { ...place, pointer: `${place.pointer}/not` }, scope))
  if ('condition' in tree) {
    const target = scope.named.find(tree.condition)
    if (target === undefined) return REFUSED
    return namedAs(tree.condition, compileTree(target.conditions, target.place, scope))
  }
  const leaf = checkLeaf(tree, place, scope.problems)
  return (leaf && compileLeaf(leaf, scope)) ?? REFUSED
}

function compileLeaf(leaf: CheckedLeaf, scope: ConditionScope): Condition | undefined {
  const relation = leaf.source.params?.['of']
  if (relation !== undefined) return compileRelated(leaf, relation, scope)
  const use = compileFact(leaf.source, leaf.place, scope, leaf)
  if (use === undefined) return undefined
  if (leaf.reference === undefined) return compareWithConstant(leaf, use, scope)
  const expected = compileFact(
    leaf.reference,
    { ...leaf.place, pointer: `${leaf.place.pointer}/value` },
    scope,
    undefined,
  )
  return expected && compareWithFact(leaf, use, expected, scope)
}

function compileFact(
  source: FactSource,
  place: Place,
  scope: ConditionScope,
  leaf: CheckedLeaf | undefined,
): FactUse | undefined {
  const type = FACT_TYPES.get(source.fact)
  if (type === undefined) {
    const message = `There is no fact ${JSON.stringify(source.fact)}. Known: ${[...FACT_TYPES.keys()].join(', ')}.`
    const extra = { found: source.fact, name: source.fact, known: FACT_TYPES.keys() }
    scope.problems.error({ ...place, pointer: `${place.pointer}/fact` }, 'fact.unknown', message, extra)
    return undefined
  }
  const params = readParams(type, source, place, scope)
  return params && type.compile({ params: params.value, scope, place, leaf, compileValue })
}

/** The fact's params; undefined after an error has been reported. */
function readParams(type: FactType<unknown>, source: FactSource, place: Place, { problems }: ConditionScope) {
  if (source.params !== undefined) {
    const shape = readShape(type.params, source.params, paramsPlace(place), problems)
    return shape.ok ? shape : undefined
  }
  const params = type.params.safeParse({})
  if (params.success) return { value: params.data }
  const keys = params.error.issues.map((issue) => JSON.stringify(issue.path[0]))
  const message = `${JSON.stringify(source.fact)} needs "params" with ${keys.join(' and ')}.`
  problems.error(place, 'params.missing', message)
  return undefined
}

function compareWithConstant(leaf: CheckedLeaf, use: FactUse, { exact }: ConditionScope): Condition {
  const { path, test, constant } = leaf
  const actual = path === undefined ? use.read : (view: SubjectView) => path(use.read(view))
  const verdict = use.verdict ?? compareOverTime((view) => test(actual(view), constant), [use], exact)
  return fromVerdict(leaf, verdict, [use], actual, () => constant)
}

function compareWithFact(leaf: CheckedLeaf, use: FactUse, expected: FactUse, scope: ConditionScope): Condition {
  const reference = leaf.reference?.path
  const at = { ...leaf.place, pointer: `${leaf.place.pointer}/value` }
  const referencePath = reference === undefined ? undefined : readPath(reference, at, scope.problems)
  const { path, test } = leaf
  const left = (view: SubjectView) => (path === undefined ? use.read(view) : path(use.read(view)))
  const right = (view: SubjectView) =>
    referencePath === undefined ? expected.read(view) : referencePath(expected.read(view))
  const verdict = compareOverTime((view) => test(left(view), right(view)), [use, expected], scope.exact)
  return fromVerdict(leaf, verdict, [use, expected], left, right)
}

function fromVerdict(
  leaf: CheckedLeaf,
  verdict: (view: SubjectView) => Verdict,
  uses: readonly [FactUse, ...FactUse[]],
  actual: (view: SubjectView) => unknown,
  expected: (view: SubjectView) => unknown,
): Condition {
  const { fact, operator, params, path } = leaf.source
  const [use] = uses
  return {
    timeless: uses.every(({ changesAt }) => changesAt === undefined),
    verdict,
    explain: (view, log) => {
      const said = judged(verdict(view))
      const compared = expected(view)
      return {
        kind: 'fact',
        ...said,
        fact,
        ...(params && { params }),
        ...(path !== undefined && { path }),
        operator,
        expected: compared,
        actual: actual(view),
        ...evidenceFor(use, view, log),
        ...(use.reads && { reads: use.reads }),
        toTurn: turnOfLeaf({ leaf, use, view, judged: said, expected: compared }),
      }
    },
  }
}

/**
 * A condition about a related subject (`"of": "community"`) is decided there, once for all who are related to it. Here
 * only its verdict is read; when it flips, every related subject is looked at again.
 */
function compileRelated(leaf: CheckedLeaf, relation: unknown, scope: ConditionScope): Condition | undefined {
  const { of: _, ...params } = leaf.source.params ?? {}
  const at = paramsPlace(leaf.place, 'of')
  const known = RELATIONS[scope.subject]
  if (!known.includes(relation as RelationName)) {
    const options = known.length === 0 ? 'none' : known.join(', ')
    const message = `A ${scope.subject} has no such relation. It has: ${options}.`
    scope.problems.error(at, 'relation.unknown', message, { found: relation, name: relation, known })
    return undefined
  }
  if (leaf.reference !== undefined || ['event', 'relation', 'now'].includes(leaf.source.fact)) {
    const message = '"of" needs a fact about events, a trait, a tag or a score, compared with a constant.'
    scope.problems.error(at, 'relation.unfit', message)
    return undefined
  }
  const name = relation as RelationName
  const verdictId = scope.relate(name, { ...leaf, source: { ...leaf.source, params } })
  scope.depends.related.add(name)
  scope.depends.relations.add(name)
  const read = (view: SubjectView) => view.relatedHolds(name, verdictId)
  return {
    timeless: true,
    verdict: (view) => (read(view) ? ALWAYS : NEVER),
    explain: (view) => {
      const holding = read(view)
      const { fact, operator, path, params: written } = leaf.source
      return {
        kind: 'fact',
        ...judged(holding ? ALWAYS : NEVER),
        fact,
        ...(written && { params: written }),
        ...(path !== undefined && { path }),
        operator,
        expected: leaf.constant,
        actual: holding ? 'holds there' : 'does not hold there',
        reads: { kind: name, verdict: verdictId },
        toTurn: {
          kind: 'fact',
          fact,
          ...(written && { params: written }),
          operator,
          expected: leaf.constant,
          holds: !holding,
        },
      }
    },
  }
}

/** The leaf of a related subject's condition, compiled there. */
export function compileRelatedLeaf(leaf: CheckedLeaf, scope: ConditionScope): Condition {
  return compileLeaf(leaf, scope) ?? REFUSED
}

/** A fact's value by itself, which nothing compares; undefined after an error has been reported. */
export function compileValue(
  source: FactSource & { readonly path?: string | undefined },
  place: Place,
  scope: ConditionScope,
): FactUse | undefined {
  if (source.params?.['of'] !== undefined) {
    const message = '"of" is for comparisons: what a related subject is known for is whether a condition holds there.'
    scope.problems.error(paramsPlace(place, 'of'), 'relation.unfit', message, { found: source.params['of'] })
    return undefined
  }
  const path = source.path === undefined ? undefined : readPath(source.path, place, scope.problems)
  const use = compileFact(source, place, scope, undefined)
  if (use === undefined || path === undefined) return source.path === undefined ? use : undefined
  return { ...use, read: (view) => path(use.read(view)) }
}
