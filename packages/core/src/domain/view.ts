import type { EventRecord, SubjectView } from '@linli/rules'
import type { RelatedVerdicts } from './draft.js'
import { hasTag, type SubjectState } from './subject.js'

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
    event,
    hasTag: (id) => hasTag(state, id),
    relatedHolds: (relation, verdict) => {
      const id = state.relations[relation]?.[0]
      return id !== undefined && related(relation, id, verdict)
    },
  }
}
