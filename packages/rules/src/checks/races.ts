import { formatDuration } from '../duration.js'
import type { Located, Pack } from '../pack.js'
import { type Place, type Problems, placeText } from '../problems.js'
import { memberOf } from '../program/event-index.js'
import type { Program } from '../program/program.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import type { StepDefinition } from '../schemas/step.js'
import { type Cap, capsAmong, isCapped } from './crowded.js'
import { below, type Tree } from './expand.js'
import type { RulesInView } from './rules-in-view.js'

/** Of more journeys that wait for the same thing, conditions are not compared. */
const MOST_COMPARED = 100

type SendStep = Extract<StepDefinition, { send: unknown }>

/** A journey that sends something as soon as it is entered. */
interface Starter {
  readonly journey: JourneyDefinition
  readonly place: Place
  readonly send: SendStep
  /** How many steps before it wait for their outcome. */
  readonly outcomesBefore: number
}

/** Finds journeys that people enter together, with first messages of which a cap lets only one through. */
export function checkRaces(pack: Pack, { policies }: Program, rules: RulesInView, problems: Problems): void {
  const caps = capsAmong(policies).filter(({ max }) => max === 1)
  if (caps.length === 0) return
  for (const rivals of byTrigger(pack.journeys).values()) {
    for (const [index, second] of rivals.entries()) {
      for (const first of rivals.slice(0, index)) {
        const cap = caps.find((policy) => [first, second].every(({ send }) => isCapped(send.send, policy)))
        if (cap === undefined) continue
        const compared = rivals.length <= MOST_COMPARED ? rules : undefined
        if (entersWith(second, first, compared)) report(second, first, [first, second], cap, problems)
        else if (entersWith(first, second, compared)) report(first, second, [first, second], cap, problems)
      }
    }
  }
}

/** Those that react to the same thing, and may be entered again in the same way. */
function byTrigger(journeys: readonly Located<JourneyDefinition>[]): ReadonlyMap<string, readonly Starter[]> {
  const rivals = new Map<string, Starter[]>()
  for (const { definition, place } of journeys) {
    const { subject = 'user', entry, key, reentry = 'oneAtATime' } = definition
    const starter = starterOf(definition, place)
    if (starter === undefined) continue
    const { conditions: _, ...trigger } = entry
    memberOf(rivals, JSON.stringify([subject, trigger, key, reentry]), () => []).push(starter)
  }
  return rivals
}

function starterOf(journey: JourneyDefinition, place: Place): Starter | undefined {
  let outcomesBefore = 0
  for (const step of journey.steps) {
    if ('send' in step) return { journey, place, send: step, outcomesBefore }
    if (!['issue', 'tag', 'set', 'emit', 'suggest'].some((verb) => verb in step)) return undefined
    if ('issue' in step || 'set' in step || 'emit' in step) outcomesBefore += 1
  }
  return undefined
}

/** Whether all who enter one journey enter the other one at the same instant. */
function entersWith(one: Starter, other: Starter, rules: RulesInView | undefined): boolean {
  const { holdout = 0, limit, exclusive } = other.journey
  const mayKeepOut = holdout > 0 || limit !== undefined
  const takesTurns = exclusive !== undefined && exclusive === one.journey.exclusive
  if (mayKeepOut || takesTurns) return false
  const [tree, implied] = [conditionsOf(one), conditionsOf(other)]
  if (implied === undefined) return true
  if (tree === undefined || rules === undefined) return false
  const { subject = 'user' } = one.journey
  if ([tree, implied].some((known) => rules.check(known, subject) !== undefined)) return false
  return rules.exclude(
    [
      { tree, holds: true },
      { tree: implied, holds: false },
    ],
    subject,
  )
}

function conditionsOf({ journey: { entry }, place }: Starter): Tree | undefined {
  return entry.conditions && { conditions: entry.conditions, place: below(place, 'entry/conditions') }
}

/** Says it of the journey whose message comes last, as far as that is known. */
function report(
  one: Starter,
  other: Starter,
  [first, second]: readonly [Starter, Starter],
  cap: Cap,
  problems: Problems,
): void {
  const isLast = first.outcomesBefore > second.outcomesBefore ? first : second
  const [before, last] = isLast === first ? [second, first] : [first, second]
  const order =
    before.outcomesBefore < last.outcomesBefore
      ? `That of "${before.journey.id}" goes first, because the other waits for the outcome of a step before it.`
      : 'Which of them goes first is not said: both are due at the same instant.'
  const message = `Whoever enters "${one.journey.id}" enters "${other.journey.id}" at the same instant (${placeText(first.place)}, ${placeText(second.place)}), and the policy "${cap.id}" lets one of their first messages, "${before.send.id}" and "${last.send.id}", through in ${formatDuration(cap.withinMs)}: the other is never sent. ${order} Wait before one of them, or enter only one.`
  problems.warning(below(last.place, 'entry'), 'journey.race', message, { found: last.journey.id })
}
