import { canonicalJson, definitionsOf, type Pack, type Program, SUBJECT_KINDS, type SubjectKind } from '@linli/rules'
import type { Fate } from '../domain/fates.js'
import type { KnownJourney, StoreTransaction, Version } from '../ports/store.js'
import { namesOf, outdatedKinds } from './names.js'
import { type Programs, withJourneys } from './programs.js'

export interface Publication {
  readonly pack: Pack
  /** The pack, compiled. */
  readonly compiled: Program
  /** Whether journeys may enter people for what these rules find in the past. */
  readonly greet: boolean
}

/** Whether these rules are in force already, for this release of linli. */
export async function isInForce(
  tx: StoreTransaction,
  programs: Programs,
  { pack, compiled }: Publication,
): Promise<boolean> {
  const number = await tx.holdVersion()
  if (number === 0) return false
  const { hash, kept } = (await programs.factsOf(tx, number)) ?? {}
  if (hash !== compiled.hash) return false
  const program = withJourneys(pack, compiled, await tx.readJourneys(number))
  return canonicalJson(namesOf(pack, program)) === canonicalJson(kept)
}

/**
 * Puts rules in force: from the commit on, every transaction of every process works by them. Subjects are brought up as
 * they are met, and the others by the sweep. Gives the number of the version.
 */
export async function publish(
  tx: StoreTransaction,
  programs: Programs,
  publication: Publication,
  clockNow: number,
): Promise<number> {
  const newest = await tx.lockVersions()
  // Somebody else may have published the same a moment ago.
  if (newest > 0 && (await isInForce(tx, programs, publication))) return newest
  const { pack, compiled, greet } = publication
  const number = newest + 1
  const journeys = await tx.readJourneys(newest)
  const program = withJourneys(pack, compiled, journeys)
  const kept = namesOf(pack, program)
  const now = (await tx.now()) ?? clockNow
  const before = newest === 0 ? undefined : await programs.factsOf(tx, newest)
  const lost = journeys.filter(({ hash }) => !program.journeysByHash.has(hash)).map(({ definition }) => definition)
  const fates = await fatesOf(tx, newest, compiled, journeys)
  const outdated = [
    ...(before === undefined ? SUBJECT_KINDS : outdatedKinds(before.kept, kept)),
    ...lost.map(({ subject = 'user' }) => subject),
    ...kindsOf(fates, journeys),
  ]
  const goodSince = goodSinceOf(number, before?.goodSince, outdated)
  await tx.addVersion({
    ...{
      number,
      hash: program.hash,
      definitions: definitionsOf(pack),
      kept,
      goodSince,
      greet,
      fates,
      halts: before?.halts ?? [],
    },
    publishedAt: Math.max(now, before?.publishedAt ?? 0),
  })
  const own = [...program.journeysByHash].map(([hash, { definition }]) => ({ hash, definition, since: number }))
  await tx.rememberJourneys(own)
  return number
}

/** What journeys that have changed say of the runs that began with an earlier definition. */
async function fatesOf(
  tx: StoreTransaction,
  newest: number,
  { journeys }: Program,
  known: readonly KnownJourney[],
): Promise<readonly Fate[]> {
  const changing = [...journeys.values()].filter(
    ({ id, hash, earlier }) =>
      earlier !== 'drain' && known.some(({ definition, hash: before }) => definition.id === id && before !== hash),
  )
  if (changing.length === 0) return []
  const before = await tx.readVersion(newest)
  const unchanged = new Set(before?.definitions.filter(({ kind }) => kind === 'journey').map(canonicalJson))
  return changing
    .filter(({ definition }) => !unchanged.has(canonicalJson(definition)))
    .map(({ id, hash, earlier }): Fate => ({ journey: id, hash, then: earlier === 'drain' ? 'stop' : earlier }))
}

/** The kinds of subjects that may have runs which meet a fate. */
export function kindsOf(fates: readonly Fate[], known: readonly KnownJourney[]): readonly SubjectKind[] {
  const concerned = known.filter(({ definition }) =>
    fates.some(({ journey }) => journey === undefined || journey === definition.id),
  )
  return concerned.map(({ definition: { subject = 'user' } }) => subject)
}

/** States of these kinds are no longer good as they are. */
export function goodSinceOf(
  number: number,
  before: Version['goodSince'] | undefined,
  outdated: readonly SubjectKind[],
): Version['goodSince'] {
  const since = (kind: SubjectKind) => (outdated.includes(kind) ? number : (before?.[kind] ?? number))
  return { user: since('user'), community: since('community'), leader: since('leader') }
}
