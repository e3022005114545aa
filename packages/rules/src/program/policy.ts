import { DURATION_FORMS, parseDuration } from '../duration.js'
import type { Pack } from '../pack.js'
import type { Place, Problems } from '../problems.js'
import type { MessageClass } from '../schemas/common.js'
import type { PolicyDefinition } from '../schemas/definitions.js'
import { DEFAULT_ZONE, isTimeZone } from '../time-zone.js'
import type { ControlGroup, Policy } from './program.js'

/** Reads a policy's times; undefined after an error has been reported, and of what is not about messages. */
export function compilePolicy(definition: PolicyDefinition, place: Place, problems: Problems): Policy | undefined {
  // It is asked when somebody is about to enter a journey.
  if ('control' in definition) return undefined
  const base = { id: definition.id, definition }
  if ('consent' in definition) return { ...base, kind: 'consent', ...scope(definition.consent, ['promotion']) }
  if ('cap' in definition) {
    const { max, within } = definition.cap
    const withinMs = parseDuration(within)
    if (withinMs !== undefined) {
      return { ...base, kind: 'cap', max, withinMs, ...scope(definition.cap, ['service', 'content', 'promotion']) }
    }
    const at = { ...place, pointer: `${place.pointer}/cap/within` }
    problems.error(at, 'duration.invalid', `A window looks like ${DURATION_FORMS}.`, { found: within })
    return undefined
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
