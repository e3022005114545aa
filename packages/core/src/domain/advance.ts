import type { Derived, EventRecord, Program, SubjectKind } from '@linli/rules'
import { type Chance, chanceOf, chancesByEvent, leaveByChanges } from './chances.js'
import type { Decision, Effect, Input, Told } from './decision.js'
import { derivedDueAt, evaluateDerived } from './derived.js'
import { Draft } from './draft.js'
import { forget } from './forgetting.js'
import { cancel, dueRuns, followExits, hush, linkOf, moveRunsByEvent, react, resume, timeOut } from './journeys.js'
import { CONSENT_EVENTS, changeConsent, changeProfile } from './profile.js'
import { takeScheduled } from './schedules.js'
import { nextInstant, type SubjectKey, type SubjectState, UNBORN } from './subject.js'
import { ALONE, type Surroundings } from './surroundings.js'

export interface Advanced {
  readonly state: SubjectState
  readonly decisions: readonly Decision[]
  readonly effects: readonly Effect[]
}

/**
 * The reducer: a subject and what moves it in, the new state, decisions and wanted effects out. Pure.
 *
 * Inputs are taken in order. Before each, everything that time alone has brought about by then happens, each at its own
 * instant.
 */
export function advance(
  key: SubjectKey,
  state: SubjectState,
  inputs: readonly Input[],
  program: Program,
  surroundings: Surroundings = ALONE,
): Advanced {
  const draft = new Draft(key, state, program, surroundings)
  for (const input of inputs) {
    take(draft, input)
    draft.cause = undefined
  }
  return finished(draft)
}

/** What has come of a draft. */
export function finished(draft: Draft): Advanced {
  if (draft.figuresMoved) draft.effects.push({ kind: 'figures', at: draft.at })
  return { state: draft.state(), decisions: draft.decisions, effects: draft.effects }
}

const nobodies = new WeakMap<Program, Map<SubjectKind, SubjectState>>()

/** One of this kind of whom nothing is known: what its conditions come to does not change with time. */
export function nobodyOf(kind: SubjectKind, program: Program): SubjectState {
  const known = nobodies.get(program) ?? new Map<SubjectKind, SubjectState>()
  nobodies.set(program, known)
  const found = known.get(kind) ?? advance({ kind, id: '' }, UNBORN, [{ kind: 'instant', at: 1 }], program).state
  known.set(kind, found)
  return found
}

function take(draft: Draft, input: Input): void {
  const isNew = draft.at === 0
  if (isNew) {
    // Only events make a subject known.
    if (input.kind !== 'event' && input.kind !== 'instant' && input.kind !== 'history') return
    if (input.kind === 'history') draft.at = input.at
    else beBorn(draft, input.at)
  }
  passTime(draft, input.at)
  draft.at = Math.max(draft.at, input.at)
  if (input.kind === 'event') draft.cause = input.event.messageId
  draft.link = input.kind === 'event' ? linkOf(input.event) : 0
  if (input.kind === 'event') return react(draft, takeEvent(draft, input))
  if (input.kind === 'refresh') return takeRefresh(draft, input)
  else if (input.kind === 'history') return takeHistory(draft, input, isNew)
  else if (input.kind === 'baseline') takeBaseline(draft, input)
  else if (input.kind === 'rename') takeRename(draft, input)
  else if (input.kind === 'forget') forget(draft, input)
  else if (input.kind === 'outcome') resume(draft, input)
  else if (input.kind === 'cancel') cancel(draft, input)
  else if (input.kind === 'greet') welcome(draft, input)
  react(draft)
}

/** Looks again at tags and scores that compare the subject with others. Those that are new greet nobody. */
function takeBaseline(draft: Draft, { first = [] }: Extract<Input, { kind: 'baseline' }>): void {
  const { figures } = draft.rules.readers
  if (first.length > 0) {
    draft.occasion = { reason: 'published', quiet: true }
    evaluateDerived(draft, new Set(first.flatMap((figure) => figures.get(figure) ?? [])))
    hush(draft)
    draft.occasion = undefined
  }
  evaluateDerived(draft, new Set([...figures.values()].flat()))
}

function welcome(draft: Draft, { member, quietly }: Extract<Input, { kind: 'greet' }>): void {
  draft.effects.push({ kind: 'welcome', member, ...(quietly !== undefined && { quietly }) })
}

/** A subject that is new has the tags and scores of one of whom nothing is known. */
function beBorn(draft: Draft, at: number): void {
  draft.at = at
  if (draft.rules.figures.size > 0) draft.figuresMoved = true
  evaluateDerived(draft, draft.rules.bornWith)
  react(draft)
}

/** Lets happen what time alone brings about until `at`. */
function passTime(draft: Draft, at: number): void {
  while (draft.due <= at) {
    const instant = nextInstant(draft)
    draft.due = instant
    if (instant > at) return
    draft.at = Math.max(draft.at, instant)
    // What is due is looked at now, and says itself when it is due again.
    draft.due = Number.POSITIVE_INFINITY
    evaluateDerived(draft, derivedDueAt(draft, instant))
    // Exits go before waits that end at the same instant, entries come after them.
    followExits(draft)
    leaveByChanges(draft)
    for (const run of dueRuns(draft, instant)) timeOut(draft, run)
    react(draft, takeScheduled(draft, instant).map(chanceOf))
    draft.due = nextInstant(draft)
  }
}

/** Takes an event in, moves runs by it, and gives what may begin by it. */
function takeEvent(draft: Draft, input: Extract<Input, { kind: 'event' }>): readonly Chance[] {
  const { event } = input
  const suspects = new Set<Derived>()
  learn(draft, input, suspects)
  if (suspects.size > 0) evaluateDerived(draft, suspects)
  draft.event = event
  const collected = moveRunsByEvent(draft, event)
  draft.event = undefined
  return chancesByEvent(draft, event, collected)
}

/** Takes in what is past: it counts, once for all, and journeys take no notice. */
function takeHistory(draft: Draft, { events }: Extract<Input, { kind: 'history' }>, isNew: boolean): void {
  draft.occasion = { reason: 'history', quiet: true }
  const suspects = new Set<Derived>(isNew ? draft.rules.bornWith : [])
  for (const told of events) learn(draft, told, suspects)
  evaluateDerived(draft, suspects)
  hush(draft)
  draft.occasion = undefined
}

/** Takes over what an event says and counts for, and collects what reads what changed. */
function learn(draft: Draft, { event, changes, member }: Told, suspects: Set<Derived>): void {
  const leader = draft.relations.leader?.[0]
  if (changes !== undefined) for (const one of changeProfile(draft, changes, event.at)) suspects.add(one)
  if (event.event === 'group') tellMembers(draft, leader, member)
  if (event.event === CONSENT_EVENTS.granted || event.event === CONSENT_EVENTS.withdrawn) {
    const granted = event.event === CONSENT_EVENTS.granted
    for (const one of changeConsent(draft, granted, event.properties, event.at)) suspects.add(one)
  }
  foldFeatures(draft, event, suspects)
}

/** Members of a community have its leader: all are told when it changes, and each when joining. */
function tellMembers(draft: Draft, leaderBefore: string | undefined, joined: string | undefined): void {
  const leader = draft.relations.leader
  if (draft.key.kind !== 'community' || leader === undefined) return
  const changed = leader[0] !== leaderBefore
  if (changed || joined !== undefined) {
    draft.effects.push({
      kind: 'lead',
      leader: leader[0],
      at: leader[1],
      member: changed ? undefined : joined,
      ...draft.quietly(),
    })
  }
}

function takeRefresh(draft: Draft, input: Extract<Input, { kind: 'refresh' }>): void {
  const { relation, id, changes, changedAt = 0, quietly } = input
  // Words of a community that the subject has left in the meantime.
  if (draft.relations[relation]?.[0] !== id) return
  const changed = changes === undefined ? [] : changeProfile(draft, changes, changedAt)
  draft.occasion = quietly && { reason: quietly, quiet: true }
  evaluateDerived(draft, [...changed, ...(draft.rules.readers.related.get(relation) ?? [])])
  if (quietly === undefined) react(draft)
  else hush(draft)
  draft.occasion = undefined
}

/** Two people are one: features that tell people apart count them once. */
function takeRename(draft: Draft, { from, to }: Extract<Input, { kind: 'rename' }>): void {
  const suspects = new Set<Derived>()
  for (const feature of draft.rules.features.values()) {
    const before = draft.features.get(feature.key)
    if (before === undefined || feature.renameUser === undefined) continue
    const after = feature.renameUser(before, from, to)
    // Somebody who was forgotten may count now: all of it is read again, and until then it stays as it was.
    if (after === undefined) draft.effects.push({ kind: 'relearn' })
    if (after === before || after === undefined) continue
    draft.writeFeature(feature.key, after)
    for (const reader of draft.rules.readers.features.get(feature.key) ?? []) suspects.add(reader)
  }
  if (suspects.size > 0) evaluateDerived(draft, suspects)
}

/** Adds an event to the features it reaches, and collects what reads those that changed. */
function foldFeatures(draft: Draft, event: EventRecord, suspects: Set<Derived>): void {
  for (const feature of draft.rules.featuresByEvent.find(event)) {
    const before = draft.features.get(feature.key)
    const after = feature.fold(before, event, draft.at)
    if (after === before || after === undefined) continue
    draft.writeFeature(feature.key, after)
    for (const reader of draft.rules.readers.features.get(feature.key) ?? []) suspects.add(reader)
  }
}
