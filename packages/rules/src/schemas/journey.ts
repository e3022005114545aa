import * as z from 'zod'
import { conditionsSchema } from '../conditions/tree.js'
import { eventNames } from '../facts/event-filter.js'
import { descriptionSchema, durationSchema, idSchema, nameSchema, subjectSchema } from './common.js'
import { stepsSchema } from './step.js'
import { variant } from './variant.js'

const onEvent = z.strictObject({ on: z.literal('event'), event: eventNames, conditions: conditionsSchema.optional() })
const onTag = z.strictObject({
  on: z.enum(['tag.added', 'tag.removed']),
  tag: z.string().describe('The id of a tag.'),
})

const crossingPoints = z.number().min(-100_000_000_000).max(100_000_000_000)
const onScore = z.strictObject({
  on: z.literal('score.crossed'),
  score: z.string().describe('The id of a score.'),
  above: crossingPoints.optional().describe('It was less, and is this or more.'),
  below: crossingPoints.optional().describe('It was this or more, and is less.'),
  tier: z.string().optional().describe('It has come into this tier from another, or from none.'),
})

const onSchedule = z.strictObject({
  on: z.literal('schedule'),
  schedule: z
    .string()
    .min(1)
    .max(500)
    .describe('When: an RRULE of RFC 5545 in local time, such as FREQ=WEEKLY;BYDAY=FR;BYHOUR=10;BYMINUTE=0.'),
  start: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d$/, 'A start is a local time, such as "2026-03-01T10:00"')
    .optional()
    .describe('The local time that INTERVAL and COUNT are counted from; it decides what the rule leaves open.'),
  timeZone: z
    .string()
    .optional()
    .describe('IANA zone for those without a timeZone trait; Asia/Shanghai when left out.'),
  conditions: conditionsSchema
    .optional()
    .describe('The audience: who enters each time; all who are known when left out.'),
})

const entrySchema = z.discriminatedUnion('on', [
  onEvent,
  z.strictObject({ ...onTag.shape, conditions: conditionsSchema.optional() }),
  z.strictObject({ ...onScore.shape, conditions: conditionsSchema.optional() }),
  z
    .strictObject({ on: z.literal('start'), conditions: conditionsSchema.optional() })
    .describe('By nothing but the "start" step of another journey.'),
  onSchedule,
  z
    .strictObject({ on: z.literal('api'), conditions: conditionsSchema.optional() })
    .describe('When your program asks for it: engine.enter.'),
])

const earlierSchema = z
  .union([
    z.enum(['drain', 'stop']),
    variant('moveTo', z.strictObject({ moveTo: z.string().describe('The id of a step of this journey.') })),
  ])
  .describe(
    'What becomes of runs that began with an earlier definition: they keep it ("drain", when left out), end ("stop"), or go on at a step of this one.',
  )

const exitSchema = z.discriminatedUnion('on', [
  onEvent,
  onTag,
  onScore,
  z.strictObject({ on: z.literal('conditions'), conditions: conditionsSchema.describe('As soon as they hold.') }),
])

export const journeySchema = z
  .strictObject({
    kind: z.literal('journey'),
    id: idSchema,
    name: nameSchema,
    description: descriptionSchema,
    version: z.int().min(1).optional().describe('Counted up by its author; for people.'),
    subject: subjectSchema,
    entry: entrySchema.describe('What makes a subject enter.'),
    key: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('A property of the entry event: one run for each of its values, such as one for each order.'),
    reentry: z
      .union([z.enum(['never', 'always', 'oneAtATime']), variant('after', z.strictObject({ after: durationSchema }))])
      .optional()
      .describe('Who may enter again: "oneAtATime" (when left out), "never", "always", or { "after": "30d" }.'),
    priority: z
      .number()
      .min(-1_000_000)
      .max(1_000_000)
      .optional()
      .describe('Of journeys that one thing enters, the higher goes first; 0 when left out.'),
    exclusive: idSchema
      .optional()
      .describe(
        'A group of journeys of which a subject is in one at a time; a higher priority ends the run of a lower.',
      ),
    limit: z
      .strictObject({
        max: z.int().min(1).max(1_000_000_000).describe('So many runs at most, over all subjects.'),
        within: z.enum(['day']).optional().describe('In one calendar day; ever when left out.'),
        timeZone: z.string().optional().describe('IANA zone in which the day begins; Asia/Shanghai when left out.'),
      })
      .optional()
      .describe('How many may enter in all.'),
    exit: z
      .union([exitSchema, z.array(exitSchema).min(1).max(20)])
      .optional()
      .describe('What ends a run wherever it is; of several, each does.'),
    goal: z
      .strictObject({
        event: eventNames,
        conditions: conditionsSchema.optional(),
        within: durationSchema,
        value: z
          .string()
          .min(1)
          .max(100)
          .optional()
          .describe('A property of the event that says what it is worth, such as the total of an order.'),
      })
      .optional()
      .describe('What the journey is for: counted when it happens within this time after entry.'),
    holdout: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('The share of subjects that are kept out, always the same ones, to compare with.'),
    earlier: earlierSchema.optional(),
    steps: stepsSchema,
  })
  .meta({ id: 'Journey', description: 'What happens to a subject, step by step.' })

export type JourneyDefinition = z.infer<typeof journeySchema>

/** One thing that ends runs of a journey. */
export type ExitDefinition = z.infer<typeof exitSchema>

/** An exit and where below its journey it stands. */
export interface ExitAt {
  readonly exit: ExitDefinition
  readonly pointer: string
}

/** All exits of a journey, whether it lists them or has one. */
export function exitsOf({ exit }: Pick<JourneyDefinition, 'exit'>): readonly ExitAt[] {
  if (exit === undefined) return []
  return Array.isArray(exit)
    ? exit.map((one, index) => ({ exit: one, pointer: `exit/${index}` }))
    : [{ exit, pointer: 'exit' }]
}
