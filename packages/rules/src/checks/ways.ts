import { parseDuration } from '../duration.js'
import { SEND_OUTCOMES, type SendOutcome, type StepDefinition } from '../schemas/step.js'
import type { WaitDefinition } from '../schemas/wait.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Why a run goes this way: the step is done, something else than the step is for, or one of several choices. */
export type WayKind =
  | 'done'
  | 'event'
  | 'state'
  | 'timeout'
  | 'no date'
  | 'no coupon'
  | 'not sent'
  | 'not started'
  | 'choice'

/** One way on from a step: the steps of its own, and how long it takes to get there. */
export interface Way {
  readonly kind: WayKind
  readonly steps: readonly StepDefinition[]
  /** Where below the journey they stand. */
  readonly pointer: string
  readonly atLeastMs: number
  readonly atMostMs: number
}

/** All ways on from a step; none from one that ends the run. */
export function waysOf(step: StepDefinition, pointer: string): readonly Way[] {
  const way = (kind: WayKind, key: string, steps: readonly StepDefinition[] = [], atLeastMs = 0, atMostMs = 0): Way => {
    return { kind, steps, pointer: `${pointer}/${key}`, atLeastMs, atMostMs }
  }
  if ('exit' in step) return []
  if ('wait' in step) {
    const over = way('done', 'wait', [], ...lengthOf(step.wait))
    return mayLackDate(step.wait) ? [over, way('no date', 'else', step.else)] : [over]
  }
  if ('waitFor' in step) {
    const { waitFor } = step
    const timeoutMs = parseDuration(waitFor.timeout) ?? 0
    const cases =
      'any' in waitFor
        ? waitFor.any.map((one, index) => {
            return way('event' in one ? 'event' : 'state', `waitFor/any/${index}/then`, one.then, 0, timeoutMs)
          })
        : [way('event', 'then', step.then, 0, timeoutMs)]
    return [...cases, way('timeout', 'else', step.else, timeoutMs, timeoutMs)]
  }
  if ('branch' in step) {
    const taken = step.branch.map(({ then }, index) => way('choice', `branch/${index}/then`, then))
    return [...taken, way('choice', 'else', step.else)]
  }
  if ('split' in step) return step.split.map(({ then }, index) => way('choice', `split/${index}/then`, then))
  if ('issue' in step) return [way('done', 'issue'), way('no coupon', 'else', step.else)]
  if ('send' in step) {
    const on = step.on ?? {}
    const told = SEND_OUTCOMES.filter((outcome) => on[outcome] !== undefined)
    const ways = told.map((outcome) => way(wayOf(outcome), `on/${outcome}`, on[outcome]))
    const [first] = SEND_OUTCOMES.filter((outcome) => !told.includes(outcome))
    // Those that are left out go on together, as if the message had been sent where that is among them.
    return first === undefined ? ways : [...ways, way(wayOf(first), 'send')]
  }
  if ('start' in step) {
    const waitMs = parseDuration(step.start.wait) ?? 0
    return [way('done', 'then', step.then, 0, waitMs), way('not started', 'else', step.else, 0, waitMs)]
  }
  if ('digest' in step) return [way('event', 'digest', [], ...lengthOf(step.digest.for))]
  return [way('done', '')]
}

function wayOf(outcome: SendOutcome): WayKind {
  return outcome === 'accepted' ? 'done' : 'not sent'
}

/** Whether there may be nothing to wait for. */
export function mayLackDate(wait: WaitDefinition): boolean {
  return typeof wait !== 'string' && 'trait' in wait
}

/** The least and the most that a wait takes, in milliseconds. */
function lengthOf(wait: WaitDefinition): readonly [number, number] {
  if (typeof wait === 'string') {
    const ms = parseDuration(wait) ?? 0
    return [ms, ms]
  }
  if ('trait' in wait) return [0, Number.POSITIVE_INFINITY]
  // A day on which clocks are changed has an hour more.
  return [0, (wait.weekdays === undefined ? 1 : 7) * DAY_MS + HOUR_MS]
}
