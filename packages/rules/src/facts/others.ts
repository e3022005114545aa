import type { Others, SubjectView } from '../subject.js'
import { type Dependencies, noDependencies } from './dependencies.js'
import type { ConditionScope, FactRequest } from './fact.js'
import type { Figure } from './figure.js'

/** Whether the subject is of a kind that is compared; what is not is reported. */
export function checkCompared({ scope, place }: FactRequest<unknown>, fact: string): boolean {
  if (scope.subject !== 'user') return true
  const message = `"${fact}" compares communities, or leaders: say which, with "of": "community".`
  scope.problems.error({ ...place, pointer: `${place.pointer}/fact` }, 'fact.subject', message, { found: fact })
  return false
}

/**
 * Has a figure worked out for all subjects of this kind, and gives a reader of all others. `compile` makes the figure; what
 * that depends on, the condition depends on as well. Undefined after an error has been reported.
 */
export function compareByFigure<Made extends Omit<Figure, 'depends'>>(
  scope: ConditionScope,
  compile: (scope: ConditionScope) => Made | undefined,
): { readonly figure: Made; readonly others: (view: SubjectView) => Others | undefined } | undefined {
  const depends = noDependencies()
  const figure = compile({ ...scope, depends })
  if (figure === undefined) return undefined
  const { key } = figure
  scope.figures.add({ ...figure, depends })
  addAll(scope.depends, depends)
  scope.depends.figures.add(key)
  return { figure, others: (view) => view.others(key) }
}

function addAll(into: Dependencies, from: Dependencies): void {
  for (const kind of Object.keys(from) as (keyof Dependencies)[]) {
    const names = into[kind] as Set<unknown>
    for (const name of from[kind]) names.add(name)
  }
}
