import { Temporal } from 'temporal-polyfill'
import * as z from 'zod'
import type { CheckedLeaf } from '../conditions/leaf.js'
import { verdictOf } from '../conditions/verdict.js'
import type { SubjectView } from '../subject.js'
import { DEFAULT_ZONE, isTimeZone, zoneFor } from '../time-zone.js'
import { type ConditionScope, type FactRequest, type FactType, type FactUse, paramsPlace, valuePlace } from './fact.js'
import { checkNumericLeaf } from './thresholds.js'

const FORMS = ['time', 'weekday', 'date', 'day', 'month', 'hour'] as const
type Form = (typeof FORMS)[number]

const nowParams = z.strictObject({
  as: z
    .enum(FORMS)
    .describe('"time": "09:30"; "date": "2026-03-01"; "hour": 0 to 23; "weekday": 1 (Monday) to 7; "day"; "month".'),
  timeZone: z
    .string()
    .optional()
    .describe('IANA zone for those without a timeZone trait; Asia/Shanghai when left out.'),
})

export const now: FactType<z.infer<typeof nowParams>> = {
  name: 'now',
  summary: "The local time: in the subject's timeZone, else in the one given, else in Asia/Shanghai.",
  params: nowParams,
  compile: compileNow,
}

function compileNow({ params, place, scope, leaf }: FactRequest<z.infer<typeof nowParams>>): FactUse | undefined {
  const { as, timeZone = DEFAULT_ZONE } = params
  if (scope.moment === 'state') {
    const message =
      'Tags, scores and conditions that are waited for are right at every instant, so one that asks for the time would change for everybody at once. Ask "now" in other conditions of journeys, or wait until a local time.'
    scope.problems.error({ ...place, pointer: `${place.pointer}/fact` }, 'fact.moment', message, { found: 'now' })
    return undefined
  }
  if (!isTimeZone(timeZone)) {
    const message = 'This is no IANA time zone, such as "Asia/Shanghai".'
    scope.problems.error(paramsPlace(place, 'timeZone'), 'timeZone.unknown', message, { found: timeZone })
    return undefined
  }
  if (!checkValue(as, leaf, scope)) return undefined
  scope.depends.traits.add('timeZone')
  const read = (view: SubjectView) => READERS[as](localTime(view, timeZone))
  const changesAt = (view: SubjectView) => nextChange(as, localTime(view, timeZone))
  if (leaf === undefined || leaf.reference !== undefined) return { read, changesAt }
  const { test, constant } = leaf
  // It is asked once, so that it need not be known until when exactly the verdict stands: the time never stops changing.
  return { read, changesAt, verdict: (view) => verdictOf(test(read(view), constant), changesAt(view)) }
}

/** What texts must look like to be in the order of time. */
const TEXTS = {
  time: { pattern: /^([01]\d|2[0-3]):[0-5]\d$/, example: '"09:30"' },
  date: { pattern: /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, example: '"2026-03-01"' },
} as const

/** Whether the time is compared with what it can be; what is wrong is reported. */
function checkValue(as: Form, leaf: CheckedLeaf | undefined, scope: ConditionScope): boolean {
  if (leaf === undefined || leaf.reference !== undefined) return true
  if (as !== 'time' && as !== 'date') return checkNumericLeaf(leaf, 'now', scope)
  const { pattern, example } = TEXTS[as]
  if ([leaf.constant].flat().every((value) => typeof value === 'string' && pattern.test(value))) return true
  const message = `A ${as} to compare with looks like ${example}.`
  scope.problems.error(valuePlace(leaf.place), `value.${as}`, message, { found: leaf.constant })
  return false
}

function localTime(view: SubjectView, fallback: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(view.at).toZonedDateTimeISO(zoneFor(view, fallback))
}

const READERS: Readonly<Record<Form, (local: Temporal.ZonedDateTime) => string | number>> = {
  time: (local) => local.toPlainTime().toString({ smallestUnit: 'minute' }),
  weekday: ({ dayOfWeek }) => dayOfWeek,
  date: (local) => local.toPlainDate().toString(),
  day: ({ day }) => day,
  month: ({ month }) => month,
  hour: ({ hour }) => hour,
}

/** When the next minute, hour or local day begins; a month is looked at again each day. */
function nextChange(as: Form, local: Temporal.ZonedDateTime): number {
  if (as === 'time') return local.add({ minutes: 1 }).round(FLOOR.minute).epochMilliseconds
  if (as === 'hour') return local.add({ hours: 1 }).round(FLOOR.hour).epochMilliseconds
  return local.toPlainDate().add({ days: 1 }).toZonedDateTime(local.timeZoneId).epochMilliseconds
}

const FLOOR = {
  minute: { smallestUnit: 'minute', roundingMode: 'floor' },
  hour: { smallestUnit: 'hour', roundingMode: 'floor' },
} as const
