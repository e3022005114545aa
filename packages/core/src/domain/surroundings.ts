import type { Others, RelationName } from '@linli/rules'
import type { SubjectKey } from './subject.js'

/** What a subject's conditions may ask about others. */
export interface Surroundings {
  /** Whether a condition that was compiled for a related subject holds there. */
  relatedHolds(relation: RelationName, id: string, verdict: string): boolean
  /** All others of the subject's kind by a figure, as the kind's baseline has them. */
  others(of: SubjectKey, figure: string): Others | undefined
}

/** Nobody is related, and nobody has been compared. */
export const ALONE: Surroundings = { relatedHolds: () => false, others: () => undefined }
