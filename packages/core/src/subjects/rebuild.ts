import {
  canonicalJson,
  contentHash,
  type Feature,
  type FeatureState,
  type Program,
  RELATIONS,
  SUBJECT_KINDS,
  type SubjectKind,
} from '@linli/rules'
import { type Advanced, reevaluate } from '../domain/advance.js'
import type { RelatedVerdicts } from '../domain/draft.js'
import { LazyMap } from '../domain/lazy-map.js'
import { type SubjectKey, subjectName } from '../domain/subject.js'
import { groupByUser, recordOf } from '../ingest/batch.js'
import type { Clock } from '../ports/clock.js'
import type { LockedSubject, Store, StoredEvent, StoreTransaction } from '../ports/store.js'
import { readRelated, writeAdvanced } from './advance-subjects.js'

/** How many users one transaction rebuilds. */
const BATCH = 200

type Features = Map<string, FeatureState>

/** Events of a user, for a subject the user is related to. */
interface Contribution {
  readonly key: SubjectKey
  readonly events: readonly StoredEvent[]
}

/**
 * Brings stored states up to the program when its features or tags are not those that they were kept for: new features
 * are filled from the event log and all tags looked at again. Journeys greet nobody for it. It runs before the engine
 * starts, a bounded transaction at a time, and begins again where it was interrupted.
 */
export async function rebuild(store: Store, program: Program, clock: Clock): Promise<void> {
  const wanted = namesOf(program)
  const known = await store.readRules()
  if (wanted.length === known.size && wanted.every((name) => known.has(name))) return
  const missing = missingFeatures(program, known)
  const related = new Map<string, { key: SubjectKey; features: Features }>()
  for (
    let ids = await store.readUserIds(undefined, BATCH);
    ids.length > 0;
    ids = await store.readUserIds(ids.at(-1), BATCH)
  ) {
    const contributions = await store.transaction((tx) => rebuildUsers(tx, program, missing.user, ids, clock.now()))
    // Only once the transaction is through: one that is run again must not count twice.
    for (const { key, events } of contributions) {
      const known = related.get(subjectName(key)) ?? { key, features: new Map() }
      related.set(subjectName(key), known)
      fold(known.features, missing[key.kind], events, clock.now())
    }
  }
  for (const { key, features } of related.values()) {
    await store.transaction((tx) => rebuildRelated(tx, program, key, features, clock.now()))
  }
  await store.rememberRules(wanted)
}

/** Names of what states are kept for: features with how much of them, tags and scores with what they say. */
function namesOf({ subjects }: Program): string[] {
  return SUBJECT_KINDS.flatMap((kind) => [
    ...[...subjects[kind].features.values()].map((feature) => featureName(kind, feature)),
    ...subjects[kind].tags.map(({ id, definition }) => {
      return `${kind}/tag/${id}/${contentHash(canonicalJson(definition?.conditions), 12)}`
    }),
    ...[...subjects[kind].scoresById.values()].map(({ id, definition: { terms, tiers } }) => {
      return `${kind}/score/${id}/${contentHash(canonicalJson({ terms, tiers }), 12)}`
    }),
  ])
}

function featureName(kind: SubjectKind, { key, keeps }: Feature): string {
  return `${kind}/feature/${key}/${keeps}`
}

function missingFeatures({ subjects }: Program, known: ReadonlySet<string>): Record<SubjectKind, Feature[]> {
  const missing = (kind: SubjectKind) =>
    [...subjects[kind].features.values()].filter((feature) => !known.has(featureName(kind, feature)))
  return { user: missing('user'), community: missing('community'), leader: missing('leader') }
}

async function rebuildUsers(
  tx: StoreTransaction,
  program: Program,
  missing: readonly Feature[],
  ids: readonly string[],
  clockNow: number,
): Promise<readonly Contribution[]> {
  const now = (await tx.now()) ?? clockNow
  const keys = ids.map((id): SubjectKey => ({ kind: 'user', id }))
  const locked = (await tx.lockSubjects(keys)).filter(({ isNew }) => !isNew)
  const events = groupByUser(await tx.eventsOf(ids))
  const related = await readRelated(
    tx,
    program,
    locked.map((subject) => ({ subject, inputs: [] })),
  )
  const advanced = locked.map((subject) => {
    const filled = fold(new Map(), missing, events.get(subject.key.id) ?? [], now)
    return { subject, advanced: refilled(subject, program, filled, now, related) }
  })
  await writeAdvanced(tx, program, advanced)
  return locked.flatMap((subject) => contributionsOf(subject, events.get(subject.key.id) ?? []))
}

async function rebuildRelated(
  tx: StoreTransaction,
  program: Program,
  key: SubjectKey,
  features: Features,
  clockNow: number,
): Promise<void> {
  const now = (await tx.now()) ?? clockNow
  const [subject] = await tx.lockSubjects([key])
  if (subject !== undefined)
    await writeAdvanced(tx, program, [{ subject, advanced: refilled(subject, program, features, now) }])
}

/** A subject with new features, without those that no rule reads any more, and all its tags looked at again. */
function refilled(
  { key, state }: LockedSubject,
  program: Program,
  filled: Features,
  now: number,
  related?: RelatedVerdicts,
): Advanced {
  const { features } = program.subjects[key.kind]
  const kept = [...state.features.entries()].filter(([name]) => features.has(name) && !filled.has(name))
  const refilledState = { ...state, features: LazyMap.of([...kept, ...filled]) }
  return reevaluate(key, refilledState, program, now, { quiet: true, ...(related && { related }) })
}

/** A user's events go to the community and the leader that the user has now. */
function contributionsOf({ state }: LockedSubject, events: readonly StoredEvent[]): Contribution[] {
  return RELATIONS.user.flatMap((kind) => {
    const id = state.relations[kind]?.[0]
    return id === undefined ? [] : [{ key: { kind, id }, events }]
  })
}

function fold(into: Features, features: readonly Feature[], events: readonly StoredEvent[], now: number): Features {
  for (const feature of features) {
    const names = new Set(feature.events)
    for (const event of events) {
      if (!names.has(event.event)) continue
      const after = feature.fold(into.get(feature.key), recordOf(event), now)
      if (after !== undefined) into.set(feature.key, after)
    }
  }
  return into
}
