import type { Feature, FeatureState, SubjectKind, SubjectProgram } from '@linli/rules'
import { type Advanced, advance } from '../domain/advance.js'
import type { DatedFate } from '../domain/fates.js'
import type { SubjectKey } from '../domain/subject.js'
import { upgrade } from '../domain/upgrade.js'
import { EngineError } from '../errors.js'
import { groupByUser, recordOf } from '../ingest/records.js'
import type { EventPlace, LockedSubject, StoredEvent, StoreTransaction } from '../ports/store.js'
import { readSurroundings, writeAdvanced } from './advance-subjects.js'
import { missingFeatures } from './names.js'
import { eventsOfPeople, ofWhoTheyAre } from './persons.js'
import type { Edition, Programs } from './programs.js'

const NONE: ReadonlySet<string> = new Set()

/** How many of a community's events are read at once. */
const PAGE = 5000

/**
 * Brings locked subjects up to the rules in force. Every transaction does so with what it locks before anything else, so
 * that nothing is ever decided by rules that are out of force, or by features that have not seen the past. `taken`: ids of
 * events that the transaction took out of the inbox and will show to their subjects itself.
 */
export async function upToDate(
  tx: StoreTransaction,
  programs: Programs,
  edition: Edition,
  locked: readonly LockedSubject[],
  taken: ReadonlySet<string> = NONE,
): Promise<readonly LockedSubject[]> {
  const outdated = locked.filter((subject) => isOutdated(subject, edition))
  if (outdated.length === 0) return locked
  const gaps = await gapsOf(tx, programs, edition, outdated)
  const gapOf = ({ key, version }: LockedSubject) => gaps.get(gapName(key.kind, version)) ?? NO_GAP
  const lacking = outdated.filter((subject) => gapOf(subject).missing.length > 0)
  // Who turned out to be somebody else has no events of their own any more.
  const users = lacking.filter(({ key, state }) => key.kind === 'user' && state.into === undefined)
  const events = groupByUser(await eventsOfPeople(tx, users))
  const surroundings = await readSurroundings(tx, edition.program, outdated.map(withoutInputs))
  const upgraded = new Map<LockedSubject, Advanced>()
  for (const subject of outdated) {
    const { key, isNew } = subject
    const gap = gapOf(subject)
    if (subject.state.into !== undefined) {
      // Nobody any more: its events are those of who it turned out to be.
      upgraded.set(subject, { state: subject.state, decisions: [], effects: [] })
      continue
    }
    const past = await pastUntil(tx, programs, gap, subject)
    const changed = (await programs.factsOf(tx, edition.version.goodSince[key.kind])) ?? edition.version
    const at = Math.max(past.state.at, changed.publishedAt)
    const replay = new Replay(edition, key.kind, gap.missing, at)
    if (key.kind === 'user') replay.take(events.get(key.id) ?? [])
    else await replayRelated(tx, key, replay, taken)
    if (past.state.at > 0 || replay.isKnown) {
      const { missing, fates } = gap
      const options = { at, missing, filled: replay.filled, greet: changed.greet, fates, surroundings }
      upgraded.set(subject, inTurn(past, upgrade(key, past.state, edition.program, options)))
    } else if (!isNew) upgraded.set(subject, past)
  }
  await writeAdvanced(
    tx,
    edition.program,
    [...upgraded].map(([subject, advanced]) => ({ subject, advanced })),
  )
  const { number: version } = edition.version
  return locked.map((subject) => {
    const advanced = upgraded.get(subject)
    return advanced === undefined ? subject : { ...subject, state: advanced.state, isNew: false, version }
  })
}

function isOutdated({ key, version, isNew }: LockedSubject, { version: { goodSince } }: Edition): boolean {
  // A user is new by an event that has not been taken in; a community may have had events that nothing listened to.
  return version < goodSince[key.kind] && !(isNew && key.kind === 'user')
}

/** What stands between states of an older version and the rules in force. */
interface Gap {
  /** The last version by which these states are right, and until when it was in force; undefined where there was none. */
  readonly from: { readonly number: number; readonly until: number } | undefined
  readonly missing: readonly Feature[]
  /** What the versions in between make of runs. */
  readonly fates: readonly DatedFate[]
}

const NO_GAP: Gap = { from: undefined, missing: [], fates: [] }

function gapName(kind: SubjectKind, version: number): string {
  return `${kind}/${version}`
}

async function gapsOf(
  tx: StoreTransaction,
  programs: Programs,
  { program, version: newest }: Edition,
  outdated: readonly LockedSubject[],
): Promise<ReadonlyMap<string, Gap>> {
  const gaps = new Map<string, Gap>()
  const hasRuns = outdated.some(({ state }) => state.runs.length > 0)
  for (const { key, version } of outdated) {
    const name = gapName(key.kind, version)
    if (gaps.has(name)) continue
    const from = await lastGood(tx, programs, key.kind, version)
    const fates = hasRuns ? await fatesSince(tx, programs, Math.abs(version), newest.number) : []
    gaps.set(name, { from, missing: missingFeatures(program, key.kind, from?.kept ?? []), fates })
  }
  return gaps
}

async function fatesSince(
  tx: StoreTransaction,
  programs: Programs,
  version: number,
  newest: number,
): Promise<readonly DatedFate[]> {
  const found: DatedFate[] = []
  for (let number = version + 1; number <= newest; number++) {
    const { fates = [], publishedAt: at = 0 } = (await programs.factsOf(tx, number)) ?? {}
    found.push(...fates.map((fate) => ({ ...fate, version: number, at })))
  }
  return found
}

/** States of a version go on under later ones as long as those change nothing for their kind. */
async function lastGood(tx: StoreTransaction, programs: Programs, kind: SubjectKind, version: number) {
  if (version <= 0) return undefined
  for (let number = version; ; number++) {
    const [own, next] = [await programs.factsOf(tx, number), await programs.factsOf(tx, number + 1)]
    if (own === undefined || next === undefined) return undefined
    if (next.goodSince[kind] > version) return { number, kept: own.kept[kind], until: next.publishedAt }
  }
}

function withoutInputs(subject: LockedSubject) {
  return { subject, inputs: [] }
}

/** What time brought about while the older rules were in force, and nobody has looked at yet. */
async function pastUntil(
  tx: StoreTransaction,
  programs: Programs,
  { from }: Gap,
  subject: LockedSubject,
): Promise<Advanced> {
  const { key, state } = subject
  const nothing = { state, decisions: [], effects: [] }
  if (from === undefined || state.due === 0 || state.due > from.until) return nothing
  try {
    const { program } = await programs.at(tx, from.number)
    const surroundings = await readSurroundings(tx, program, [withoutInputs(subject)])
    return advance(key, state, [{ kind: 'instant', at: from.until }], program, surroundings)
  } catch (error) {
    // Rules of an older release: what they would have done by time alone is done by those in force.
    if (error instanceof EngineError && error.code === 'rules.unreadable') return nothing
    throw error
  }
}

function inTurn(first: Advanced, then: Advanced): Advanced {
  return {
    state: then.state,
    decisions: [...first.decisions, ...then.decisions],
    effects: [...first.effects, ...then.effects],
  }
}

/** Shows events of the past to the features that have not seen them. */
class Replay {
  readonly filled = new Map<string, FeatureState>()
  /** Whether there was an event that makes the subject known. */
  isKnown = false
  private readonly rules: SubjectProgram
  private readonly missing: ReadonlySet<Feature>

  constructor(
    { program }: Edition,
    kind: SubjectKind,
    missing: readonly Feature[],
    private readonly at: number,
  ) {
    this.rules = program.subjects[kind]
    this.missing = new Set(missing)
  }

  get tellsPeopleApart(): boolean {
    return [...this.missing].some((feature) => feature.renameUser !== undefined)
  }

  take(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (!this.rules.listensTo.has(event.event)) continue
      this.isKnown = true
      const record = recordOf(event)
      for (const feature of this.rules.featuresByEvent.find(record)) {
        if (!this.missing.has(feature)) continue
        const after = feature.fold(this.filled.get(feature.key), record, Math.max(this.at, event.at))
        if (after !== undefined) this.filled.set(feature.key, after)
      }
    }
  }
}

async function replayRelated(
  tx: StoreTransaction,
  key: SubjectKey,
  replay: Replay,
  taken: ReadonlySet<string>,
): Promise<void> {
  for (let after: EventPlace | undefined; ; ) {
    const page = await tx.eventsFor(key, after, PAGE)
    // Asked for after the page was read: what has come in since is in neither.
    const waiting = page.length === 0 ? taken : await tx.waitingFor(key)
    const counted = page.filter(({ messageId }) => !waiting.has(messageId) && !taken.has(messageId))
    replay.take(replay.tellsPeopleApart ? await ofWhoTheyAre(tx, counted) : counted)
    after = page.at(-1)
    if (page.length < PAGE) return
  }
}
