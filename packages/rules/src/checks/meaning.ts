import type { Pack } from '../pack.js'
import { inReadingOrder, type Problem, Problems } from '../problems.js'
import { compilePack } from '../program/compile.js'
import type { Program } from '../program/program.js'
import { tiersInOrder } from '../program/score.js'
import { SUBJECT_KINDS, type SubjectKind } from '../subject.js'
import { checkBranches } from './branches.js'
import { checkBudgets } from './budgets.js'
import { checkCapped } from './capped.js'
import { startedIn } from './certain.js'
import { checkChannels } from './channels.js'
import { checkCrowded } from './crowded.js'
import { below } from './expand.js'
import { checkGoal } from './goals.js'
import { checkHistory } from './history.js'
import { checkMessages } from './messages.js'
import { checkMixed } from './mixed.js'
import { checkOffers } from './offers.js'
import { checkRaces } from './races.js'
import { rootsOfJourney } from './roots.js'
import { RulesInView } from './rules-in-view.js'
import { checkSameTags } from './same.js'
import { boundsOfScore, checkCrossings, checkTiers, rangeOfBounds } from './scores.js'
import { checkUnreachable } from './unreachable.js'
import { warnAbout } from './warnings.js'

/** What is known of the host that a pack is for. */
export interface CheckOptions {
  /** The names of its channels. Left out: nothing is known of them. */
  readonly channels?: readonly string[] | undefined
}

/**
 * What is allowed but cannot be meant, or is seldom meant. A pack that is not right otherwise is checked less: of what
 * does not fit together nobody knows what it means.
 */
export function checkMeaning(pack: Pack, program: Program, problems: Problems, options: CheckOptions = {}): void {
  const right = !problems.hasErrors
  warnAbout(pack, problems)
  if (!right) return
  checkHistory(pack, problems)
  checkCapped(pack, problems)
  checkChannels(pack, options.channels, problems)
  checkBudgets(pack, program, problems)
  checkOffers(pack, problems)
  checkJourneys(pack, program, problems)
  checkSameTags(pack, problems)
  checkImpossible(pack, program, problems)
}

/**
 * What cannot be meant, or is seldom meant, in a pack made in code: what `checkPack` finds in files beyond what
 * `definePack` refuses.
 */
export function reviewPack(pack: Pack, options: CheckOptions = {}): readonly Problem[] {
  const problems = new Problems()
  checkMeaning(pack, compilePack(pack, problems), problems, options)
  return inReadingOrder(problems.list)
}

/** Finds what runs never come to, or cannot do where they are. */
function checkJourneys(pack: Pack, program: Program, problems: Problems): void {
  const started = startedIn(pack)
  for (const journey of pack.journeys) {
    checkUnreachable(journey, problems)
    checkMessages(journey, started, program, problems)
    checkGoal(journey, problems)
    checkCrowded(journey, program, problems)
  }
}

/** Finds what can never hold, and what always does: first in what others read. */
function checkImpossible(pack: Pack, program: Program, problems: Problems): void {
  const rules = new RulesInView(pack, problems)
  const bounds = new Map<string, readonly [number, number]>()
  const tags = byName(pack.tags)
  const scores = byName(pack.scores)
  for (const kind of SUBJECT_KINDS.toReversed()) {
    for (const { kind: what, id } of program.subjects[kind].derived) {
      const name = `${kind} ${id}`
      const tag = what === 'score' ? undefined : tags.get(name)
      if (tag?.definition.conditions !== undefined) {
        const tree = { conditions: tag.definition.conditions, place: below(tag.place, 'conditions') }
        if (rules.check(tree, kind) === undefined) rules.knowTag(kind, id, tree)
      }
      const score = what === 'score' ? scores.get(name) : undefined
      if (score === undefined) continue
      const found = boundsOfScore(score, rules)
      bounds.set(name, found)
      rules.knowScore(kind, id, rangeOfBounds(found), tiersInOrder(score.definition.tiers))
      checkTiers(score, found, problems)
    }
  }
  for (const journey of pack.journeys) {
    for (const { subject, ...tree } of rootsOfJourney(journey)) rules.check(tree, subject)
    checkBranches(journey, rules, problems)
    checkCrossings(journey, (subject, score) => bounds.get(`${subject} ${score}`), problems)
  }
  checkRaces(pack, program, rules, problems)
  checkMixed(pack, program, problems)
}

interface Named {
  readonly definition: { readonly id: string; readonly subject?: SubjectKind | undefined }
}

function byName<T extends Named>(located: readonly T[]): ReadonlyMap<string, T> {
  return new Map(located.map((one) => [`${one.definition.subject ?? 'user'} ${one.definition.id}`, one]))
}
