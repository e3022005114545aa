import {
  canonicalJson,
  contentHash,
  definitionsOf,
  type Feature,
  type Pack,
  type Program,
  SUBJECT_KINDS,
  type SubjectKind,
} from '@linli/rules'

/** Names of what the states of each kind of subject are kept for: while they stay the same, so do the states. */
export type KeptNames = Readonly<Record<SubjectKind, readonly string[]>>

/** Features with how much of them, tags and scores with what they say, schedules with when and for whom they are. */
export function namesOf(pack: Pack, program: Program): KeptNames {
  // Tags and scores may say no more than the name of a condition.
  const named = definitionsOf(pack).filter(({ kind }) => kind === 'condition')
  const conditions = named.length === 0 ? [] : [`conditions/${hashOf(named)}`]
  const names = (kind: SubjectKind) => {
    const { features, tags, scoresById, journeysBySchedule } = program.subjects[kind]
    return [
      ...[...features.values()].map(featureName),
      ...tags.map(({ id, definition }) => `tag/${id}/${hashOf(definition?.conditions)}`),
      ...[...scoresById.values()].map(
        ({ id, definition: { terms, tiers } }) => `score/${id}/${hashOf({ terms, tiers })}`,
      ),
      ...[...journeysBySchedule.values()].map(({ id, definition: { entry } }) => `schedule/${id}/${hashOf(entry)}`),
      ...(tags.length + scoresById.size > 0 ? conditions : []),
    ].sort()
  }
  return { user: names('user'), community: names('community'), leader: names('leader') }
}

/** The kinds of subjects whose states cannot stay as they are. */
export function outdatedKinds(before: KeptNames, after: KeptNames): readonly SubjectKind[] {
  return SUBJECT_KINDS.filter((kind) => canonicalJson(before[kind]) !== canonicalJson(after[kind]))
}

/** The features of a program that states which were kept for other names lack, in whole or in part. */
export function missingFeatures(program: Program, kind: SubjectKind, kept: readonly string[]): readonly Feature[] {
  const known = new Set(kept)
  return [...program.subjects[kind].features.values()].filter((feature) => !known.has(featureName(feature)))
}

function featureName({ key, keeps }: Feature): string {
  return `feature/${key}/${keeps}`
}

function hashOf(definition: unknown): string {
  return contentHash(canonicalJson(definition), 12)
}
