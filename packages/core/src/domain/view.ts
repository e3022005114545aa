import type { EventRecord, SubjectView } from '@linli/rules'
import { hasTag, type SubjectKey, type SubjectState, scoreOf } from './subject.js'
import { ALONE, type Surroundings } from './surroundings.js'

/** A subject as conditions see it at an instant. */
export function viewOf(
  key: SubjectKey,
  state: SubjectState,
  at: number,
  surroundings: Surroundings = ALONE,
  event?: EventRecord,
): SubjectView {
  return {
    at,
    features: state.features,
    traits: state.traits,
    relations: state.relations,
    consent: state.consent,
    runs: state.runs,
    event,
    hasTag: (id) => hasTag(state, id),
    score: (id) => scoreOf(state, id)[0],
    relatedHolds: (relation, verdict) => {
      const id = state.relations[relation]?.[0]
      return id !== undefined && surroundings.relatedHolds(relation, id, verdict)
    },
    others: (figure) => surroundings.others(key, figure),
  }
}
