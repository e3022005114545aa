import { formatDuration } from '../duration.js'
import type { Located } from '../pack.js'
import type { Problems } from '../problems.js'
import type { Policy, PolicyScope, Program } from '../program/program.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import type { StepDefinition } from '../schemas/step.js'
import { below } from './expand.js'
import { type Flow, passagesOf } from './passages.js'

type SendDefinition = Extract<StepDefinition, { send: unknown }>['send']

/** A cap of a number of messages, of whichever journey, in any window of one length. */
export interface Cap extends PolicyScope {
  readonly id: string
  readonly max: number
  readonly withinMs: number
}

/** The caps among the policies about which a pack alone can tell something. */
export function capsAmong(policies: readonly Policy[]): readonly Cap[] {
  return policies.flatMap((policy) => {
    if (policy.kind !== 'cap' || policy.journeys !== undefined || policy.max === 'daysOfMonth') return []
    const { id, max, window, classes, channels } = policy
    return window.withinMs === undefined ? [] : [{ id, max, withinMs: window.withinMs, classes, channels }]
  })
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60

/** For each cap, how long ago at most the messages were sent that count for it on every way to a step, latest first. */
type Ages = ReadonlyMap<Cap, readonly number[]>

/** Finds messages that a cap always keeps back, because the journey itself has sent too many before. */
export function checkCrowded(
  { definition, place }: Located<JourneyDefinition>,
  { policies }: Program,
  problems: Problems,
): void {
  const caps = capsAmong(policies).filter(({ max }) => max > 0)
  if (caps.length === 0) return
  const start: Ages = new Map(caps.map((cap) => [cap, []]))
  for (const { step, pointer, known } of passagesOf(definition.steps, start, flowOf(policies))) {
    if (!('send' in step) || known === undefined) continue
    const full = fullCap(step.send, whenSent(known, step.send, policies))
    if (full === undefined) continue
    const { cap, sinceMs } = full
    const before = sinceMs === 0 ? 'just before it' : `at most ${formatDuration(sinceMs)} before it`
    const sent = cap.max === 1 ? 'a message' : `${cap.max} messages`
    const message = `This is kept back where those before it were sent: on every way here the run sends ${sent} ${before}, and the policy "${cap.id}" lets ${cap.max} through in ${formatDuration(cap.withinMs)}. Wait longer between them, or send fewer.`
    problems.warning(below(place, pointer), 'message.capped', message, { found: step.id })
  }
}

function flowOf(policies: readonly Policy[]): Flow<Ages> {
  return {
    after: (known, step, { kind, atMostMs }) => {
      if (!('send' in step)) return later(known, atMostMs)
      const sent = whenSent(known, step.send, policies)
      // What is kept back itself keeps back nothing.
      return kind === 'done' && fullCap(step.send, sent) === undefined
        ? mapAges(sent, (ages, cap) => (isCapped(step.send, cap) ? [0, ...ages] : ages))
        : sent
    },
    meet: (one, other) =>
      mapAges(one, (ages, cap) => {
        const others = other.get(cap) ?? []
        return ages.slice(0, others.length).map((age, index) => Math.max(age, others[index] ?? age))
      }),
  }
}

/** How old the messages before one are when it is sent, which may be after quiet hours. */
function whenSent(known: Ages, send: SendDefinition, policies: readonly Policy[]): Ages {
  const quiet = policies.filter((policy) => policy.kind === 'quietHours' && mayApply(send, policy))
  const minutes = quiet.map((policy) =>
    'fromMinute' in policy ? (policy.toMinute - policy.fromMinute + DAY_MINUTES) % DAY_MINUTES : 0,
  )
  // An hour more, where clocks are put back.
  return later(known, minutes.reduce((sum, one) => sum + one + 60, 0) * MINUTE_MS)
}

function later(known: Ages, ms: number): Ages {
  return ms === 0
    ? known
    : mapAges(known, (ages, { withinMs }) => ages.map((age) => age + ms).filter((age) => age < withinMs))
}

function mapAges(known: Ages, change: (ages: readonly number[], cap: Cap) => readonly number[]): Ages {
  return new Map([...known].map(([cap, ages]) => [cap, change(ages, cap)]))
}

/** The cap that has no room for one more message, and how long ago the messages that fill it began. */
function fullCap(send: SendDefinition, known: Ages): { cap: Cap; sinceMs: number } | undefined {
  for (const [cap, ages] of known) {
    const sinceMs = ages[cap.max - 1]
    if (sinceMs !== undefined && isCapped(send, cap)) return { cap, sinceMs }
  }
  return undefined
}

/** Whether a policy is asked about a message, whichever of its channels it takes. */
export function isCapped(send: SendDefinition, { classes, channels }: PolicyScope): boolean {
  return classes.has(send.class) && channelsOf(send).every((channel) => channels?.has(channel) ?? true)
}

function mayApply(send: SendDefinition, { classes, channels }: Policy): boolean {
  return classes.has(send.class) && channelsOf(send).some((channel) => channels?.has(channel) ?? true)
}

export function channelsOf({ channel }: SendDefinition): readonly string[] {
  return typeof channel === 'string' ? [channel] : channel
}
