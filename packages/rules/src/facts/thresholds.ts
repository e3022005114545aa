import type { CheckedLeaf } from '../conditions/leaf.js'
import { both, either, holds, NEVER, until, type Verdict } from '../conditions/verdict.js'
import type { SubjectView } from '../subject.js'
import { type ConditionScope, valuePlace } from './fact.js'

/** Whether at least `n` were seen inside the window as it is at an instant, and until when that is certain. */
export type Reaches = (view: SubjectView, n: number, at: number) => Verdict

/** The largest threshold that a windowed count may have: it is also the number of times kept for each subject. */
const LARGEST_THRESHOLD = 10_000

interface CountTest {
  readonly thresholds: readonly number[]
  verdict(view: SubjectView, reaches: Reaches, at: number): Verdict
}

/**
 * Turns a comparison of a count with constants into questions "at least n?", which the n latest events answer exactly.
 * Undefined where the operator has no such form.
 */
export function compileCountTest(leaf: CheckedLeaf): CountTest | undefined {
  if (leaf.reference !== undefined || leaf.decorators.some((decorator) => decorator !== 'not')) return undefined
  const plain = plainTest(leaf.operatorName, leaf.constant)
  if (plain === undefined) return undefined
  return settled(leaf.decorators.length % 2 === 0 ? plain : negated(plain))
}

/**
 * A count can skip a value, when several events leave the window at one instant: "equal" then stays what it was. Such an
 * instant is passed over, so that a verdict ends where it turns.
 */
function settled(test: CountTest): CountTest {
  if (test.thresholds.length < 2) return test
  return {
    thresholds: test.thresholds,
    verdict: (view, reaches, at) => {
      let verdict = test.verdict(view, reaches, at)
      // Counts only fall while nothing happens, so each threshold is passed once.
      for (let passed = 0; passed < test.thresholds.length && Number.isFinite(verdict); passed++) {
        const next = test.verdict(view, reaches, until(verdict))
        if (holds(next) !== holds(verdict)) break
        verdict = next
      }
      return verdict
    },
  }
}

function plainTest(operator: string, constant: unknown): CountTest | undefined {
  if (typeof constant === 'number') return numberTest(operator, constant)
  if (!Array.isArray(constant)) return undefined
  if (operator === 'in') return oneOf(constant.map((value) => equalTest(value)))
  return operator === 'notIn' ? negated(oneOf(constant.map((value) => equalTest(value)))) : undefined
}

function numberTest(operator: string, constant: number): CountTest | undefined {
  switch (operator) {
    case 'greaterThanInclusive':
      return atLeast(Math.ceil(constant))
    case 'greaterThan':
      return atLeast(Math.floor(constant) + 1)
    case 'lessThan':
      return negated(atLeast(Math.ceil(constant)))
    case 'lessThanInclusive':
      return negated(atLeast(Math.floor(constant) + 1))
    case 'equal':
      return equalTest(constant)
    case 'notEqual':
      return negated(equalTest(constant))
    default:
      return undefined
  }
}

function atLeast(n: number): CountTest {
  return { thresholds: [n], verdict: (view, reaches, at) => reaches(view, n, at) }
}

function equalTest(value: unknown): CountTest {
  if (!Number.isInteger(value)) return { thresholds: [], verdict: () => NEVER }
  const n = value as number
  return {
    thresholds: [n, n + 1],
    verdict: (view, reaches, at) => both(reaches(view, n, at), -reaches(view, n + 1, at)),
  }
}

function negated(test: CountTest): CountTest {
  return { thresholds: test.thresholds, verdict: (view, reaches, at) => -test.verdict(view, reaches, at) }
}

function oneOf(tests: readonly CountTest[]): CountTest {
  return {
    thresholds: tests.flatMap((test) => test.thresholds),
    verdict: (view, reaches, at) =>
      tests.reduce((result, test) => either(result, test.verdict(view, reaches, at)), NEVER),
  }
}

/** The number of latest entries that decide a test; undefined after an error has been reported. */
export function entriesNeeded(test: CountTest, leaf: CheckedLeaf, scope: ConditionScope): number | undefined {
  const needed = Math.max(0, ...test.thresholds)
  if (needed <= LARGEST_THRESHOLD) return needed
  const message = `A count in a window, or of different values, can be compared with at most ${LARGEST_THRESHOLD}.`
  scope.problems.error(valuePlace(leaf.place), 'threshold.large', message, { found: leaf.constant })
  return undefined
}

/** Refuses operators and values that make no sense for a number; true when the condition is right. */
export function checkNumericLeaf(leaf: CheckedLeaf | undefined, fact: string, scope: ConditionScope): boolean {
  if (leaf === undefined || leaf.reference !== undefined) return true
  const { constant, operatorName, decorators, place } = leaf
  if (operatorName.toLowerCase().includes('contain') || decorators.some((decorator) => decorator.endsWith('Fact'))) {
    const message = `"${fact}" is a number; "${leaf.source.operator}" looks into lists.`
    const at = { file: place.file, pointer: `${place.pointer}/operator` }
    scope.problems.error(at, 'operator.unfit', message, { found: leaf.source.operator })
    return false
  }
  if (numbersIn(constant, leaf).every((value) => typeof value === 'number')) return true
  scope.problems.error(valuePlace(place), 'value.number', `"${fact}" is a number; compare it with a number.`, {
    found: constant,
  })
  return false
}

/** What must be numbers: the constant, or its elements where the operator looks into a list. */
function numbersIn(constant: unknown, { operatorName, decorators }: CheckedLeaf): readonly unknown[] {
  const list = operatorName === 'in' || operatorName === 'notIn' || decorators.some((one) => one.endsWith('Value'))
  return list && Array.isArray(constant) ? constant : [constant]
}
