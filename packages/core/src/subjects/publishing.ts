import { canonicalJson, definitionsOf, type Pack, type Program, SUBJECT_KINDS } from '@linli/rules'
import type { StoreTransaction, Version } from '../ports/store.js'
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
  const outdated = new Set([
    ...(before === undefined ? SUBJECT_KINDS : outdatedKinds(before.kept, kept)),
    ...lost.map(({ subject = 'user' }) => subject),
  ])
  const goodSince = Object.fromEntries(
    SUBJECT_KINDS.map((kind) => [kind, outdated.has(kind) ? number : (before?.goodSince[kind] ?? number)]),
  ) as Version['goodSince']
  await tx.addVersion({
    ...{ number, hash: program.hash, definitions: definitionsOf(pack), kept, goodSince, greet },
    publishedAt: Math.max(now, before?.publishedAt ?? 0),
  })
  const own = [...program.journeysByHash].map(([hash, { definition }]) => ({ hash, definition, since: number }))
  await tx.rememberJourneys(own)
  return number
}
