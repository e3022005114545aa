import type { EventRecord, SubjectView } from '@linli/rules'
import type { RelatedVerdicts } from './draft.js'
import { hasTag, type SubjectState, scoreOf } from './subject.js'

/** A subject as conditions see it at an instant. */
export function viewOf(
  state: SubjectState,
  at: number,
  related: RelatedVerdicts = () => false,
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
      return id !== undefined && related(relation, id, verdict)
    },
  }
}
