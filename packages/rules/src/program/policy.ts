import type { Pack } from '../pack.js'
import type { Place, Problems } from '../problems.js'
import { MESSAGE_CLASSES, type MessageClass } from '../schemas/common.js'
import type { PolicyDefinition } from '../schemas/definitions.js'
import { DEFAULT_ZONE, isTimeZone } from '../time-zone.js'
import { compileBudget } from './budget.js'
import type { ControlGroup, Policy } from './program.js'
import { compileSendWindow } from './send-window.js'

/** Reads a policy's times; undefined after an error has been reported, and of what is not about messages. */
export function compilePolicy(
  definition: PolicyDefinition,
  place: Place,
  journeyIds: ReadonlySet<string>,
  problems: Problems,
): Policy | undefined {
  // It is asked when somebody is about to enter a journey.
  if ('control' in definition) return undefined
  const base = { id: definition.id, definition }
  if ('consent' in definition) return { ...base, kind: 'consent', ...scope(definition.consent, ['promotion']) }
  const below = (key: string) => ({ ...place, pointer: `${place.pointer}/${key}` })
  if ('cap' in definition) {
    const { max, journeys } = definition.cap
    checkJourneys(journeys, below('cap'), journeyIds, problems)
    const window = compileSendWindow(definition.cap, below('cap'), problems)
    const limits = { max, journeys: journeys && new Set(journeys), ...scope(definition.cap, MESSAGE_CLASSES) }
    return window && { ...base, kind: 'cap', reason: 'cap', window, ...limits }
  }
  if ('quota' in definition) {
    const { timeZone = DEFAULT_ZONE, ...quota } = definition.quota
    const window = compileSendWindow({ ...quota, timeZone }, below('quota'), problems)
    const limits = { max: quota.max, journeys: undefined, ...scope(quota, MESSAGE_CLASSES) }
    return window && { ...base, kind: 'cap', reason: 'quota', window, ...limits }
  }
  if ('mix' in definition) {
    const { share, within = '7d', of } = definition.mix
    const window = compileSendWindow({ within }, below('mix'), problems)
    return window && { ...base, kind: 'mix', share, window, of, ...scope(definition.mix, ['promotion']) }
  }
  if ('budget' in definition) {
    const { classes } = definition.budget
    checkJourneys(definition.budget.journeys, below('budget'), journeyIds, problems)
    const budget = compileBudget(definition.budget, below('budget'), problems)
    const channels = definition.budget.channels ?? (budget?.costs && [...budget.costs.keys()])
    return budget && { ...base, kind: 'budget', ...budget, ...scope({ classes, channels }, MESSAGE_CLASSES) }
  }
  const { from, to, timeZone = DEFAULT_ZONE } = definition.quietHours
  if (!isTimeZone(timeZone)) {
    const at = { ...place, pointer: `${place.pointer}/quietHours/timeZone` }
    problems.error(at, 'timeZone.unknown', 'This is no IANA time zone, such as "Asia/Shanghai".', { found: timeZone })
    return undefined
  }
  if (from === to) {
    const at = { ...place, pointer: `${place.pointer}/quietHours` }
    problems.error(at, 'quietHours.empty', 'Quiet hours from and to the same time: nothing could ever be sent.')
    return undefined
  }
  const times = { fromMinute: minuteOfDay(from), toMinute: minuteOfDay(to), timeZone }
  return { ...base, kind: 'quietHours', ...times, ...scope(definition.quietHours, ['content', 'promotion']) }
}

function checkJourneys(
  journeys: readonly string[] = [],
  place: Place,
  known: ReadonlySet<string>,
  problems: Problems,
): void {
  for (const [index, id] of journeys.entries()) {
    if (known.has(id)) continue
    const at = { ...place, pointer: `${place.pointer}/journeys/${index}` }
    problems.unknown(at, 'journey', id, known, `The pack has no journey ${JSON.stringify(id)}.`)
  }
}

/** The control group of a pack: one at most. */
export function compileControl(policies: Pack['policies'], problems: Problems): ControlGroup | undefined {
  const [first, second] = policies.flatMap(({ definition, place }) =>
    'control' in definition ? [{ definition, place }] : [],
  )
  if (second !== undefined) {
    const message = `A pack has one control group, and this is the second; the first is "${first?.definition.id}".`
    problems.error(second.place, 'control.several', message, { found: second.definition.id })
  }
  if (first === undefined) return undefined
  const { id, control } = first.definition
  return { id, share: control.share, classes: new Set(control.classes ?? ['content', 'promotion']) }
}

function scope(
  { classes, channels }: { classes?: MessageClass[] | undefined; channels?: string[] | undefined },
  whenLeftOut: readonly MessageClass[],
) {
  return {
    classes: new Set(classes ?? whenLeftOut),
    channels: channels === undefined ? undefined : new Set(channels),
  }
}

function minuteOfDay(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}
