import { DURATION_FORMS, parseDuration } from '../duration.js'
import type { Place, Problems } from '../problems.js'
import type { MessageClass } from '../schemas/common.js'
import type { PolicyDefinition } from '../schemas/definitions.js'
import { DEFAULT_ZONE, isTimeZone } from '../time-zone.js'
import type { Policy } from './program.js'

/** Reads a policy's times; undefined after an error has been reported. */
export function compilePolicy(definition: PolicyDefinition, place: Place, problems: Problems): Policy | undefined {
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
