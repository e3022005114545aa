import type { RelationName } from '../subject.js'

/** What a compiled condition reads, so that a change reaches only the rules that it can change. */
export interface Dependencies {
  readonly features: Set<string>
  readonly traits: Set<string>
  readonly relations: Set<RelationName>
  readonly tags: Set<string>
  /** Conditions about related subjects. */
  readonly related: Set<RelationName>
  readonly scores: Set<string>
  /** Journeys whose runs are asked for. */
  readonly journeys: Set<string>
  /** Has `true` where consent is asked for. */
  readonly consent: Set<true>
  /** Figures of all other subjects of the kind. */
  readonly figures: Set<string>
}

export function noDependencies(): Dependencies {
  return {
    features: new Set(),
    traits: new Set(),
    relations: new Set(),
    tags: new Set(),
    related: new Set(),
    scores: new Set(),
    journeys: new Set(),
    consent: new Set(),
    figures: new Set(),
  }
}
