import type { FeatureState, SubjectView } from '../subject.js'
import type { ConditionScope } from './fact.js'

/** Reads a feature's state of a subject, and notes that the condition depends on it. */
export function stateReader<State extends FeatureState>(key: string, scope: ConditionScope) {
  scope.depends.features.add(key)
  return (view: SubjectView) => view.features.get(key) as State | undefined
}
