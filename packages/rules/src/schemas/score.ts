import * as z from 'zod'
import { conditionsSchema, factReference } from '../conditions/tree.js'
import { filterParams } from '../facts/event-filter.js'
import { descriptionSchema, durationSchema, idSchema, nameSchema, subjectSchema } from './common.js'
import { variant } from './variant.js'

/** More than this and sums of points would no longer be exact to a millionth. */
export const LARGEST_POINTS = 100_000

const points = z
  .number()
  .min(-LARGEST_POINTS)
  .max(LARGEST_POINTS)
  .describe('How many points it gives; below zero it takes them away.')

const max = z
  .number()
  .min(0.000_001)
  .max(100_000_000)
  .optional()
  .describe('The term gives, or takes away, at most so many points; a hundred million when left out.')

const termSchema = z.union([
  variant('conditions', z.strictObject({ points, conditions: conditionsSchema }).describe('Points while these hold.')),
  variant(
    'per',
    z
      .strictObject({ points, per: factReference.describe('A fact whose value is a number.'), max })
      .describe('Points for each 1 of a fact.'),
  ),
  variant(
    'event',
    z
      .strictObject({
        points,
        ...filterParams,
        halfLife: durationSchema
          .optional()
          .describe('An event gives half as much each time this has passed, and nothing after eight times.'),
        max,
      })
      .describe('Points for each such event.'),
  ),
])

const tierSchema = z.strictObject({
  id: idSchema,
  name: nameSchema,
  from: z.number().min(-100_000_000_000).max(100_000_000_000).describe('The points from which on it begins.'),
})

export const scoreSchema = z
  .strictObject({
    kind: z.literal('score'),
    id: idSchema,
    name: nameSchema,
    description: descriptionSchema,
    subject: subjectSchema,
    terms: z.array(termSchema).min(1).max(50).describe('What gives points, or takes them away: they are added up.'),
    tiers: z.array(tierSchema).min(1).max(50).optional().describe('Named ranges of the score.'),
  })
  .meta({ id: 'Score', description: 'A number that subjects have at every instant, added up from terms.' })

export type ScoreDefinition = z.infer<typeof scoreSchema>
export type TermDefinition = ScoreDefinition['terms'][number]
