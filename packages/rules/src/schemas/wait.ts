import * as z from 'zod'
import { durationSchema, localTimeSchema } from './common.js'
import { variant } from './variant.js'

const timeZoneSchema = z
  .string()
  .optional()
  .describe('IANA zone for those without a timeZone trait; Asia/Shanghai when left out.')

const untilSchema = z.strictObject({
  until: localTimeSchema.describe('The next time that clocks of the subject show this.'),
  weekdays: z
    .array(z.int().min(1).max(7))
    .min(1)
    .max(7)
    .optional()
    .describe('On one of these days only: 1 is Monday, 7 is Sunday.'),
  timeZone: timeZoneSchema,
})

const traitSchema = z.strictObject({
  trait: z.string().min(1).max(100).describe('A trait that is a date ("2026-03-01") or an ISO 8601 instant.'),
  before: durationSchema.optional().describe('This long before it.'),
  after: durationSchema.optional().describe('This long after it.'),
  at: localTimeSchema.optional().describe('At this local time of the day that this leads to; midnight of a date.'),
  yearly: z.boolean().optional().describe('The next return of its day and month, such as that of a birthday.'),
  timeZone: timeZoneSchema,
})

/** How long to wait: a duration, until a local time, or until a date that a trait says. */
export const waitSchema = z.union([
  durationSchema,
  variant('until', untilSchema.describe('Waits until a local time.')),
  variant('trait', traitSchema.describe("Waits until a trait's date, sooner or later.")),
])

export type WaitDefinition = z.infer<typeof waitSchema>
