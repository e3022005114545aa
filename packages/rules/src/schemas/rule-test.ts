import * as z from 'zod'
import { descriptionSchema, idSchema, nameSchema } from './common.js'
import { variant } from './variant.js'

const timeSchema = z.string().min(1).max(60)
const propertiesSchema = z.record(z.string(), z.unknown())

const givenShape = {
  at: timeSchema
    .optional()
    .describe(
      'When: ISO 8601, or how long after the start, such as "2d". Left out: with the one before, first the start.',
    ),
  user: z.string().min(1).max(200).describe('The id of the user.'),
}

const givenSchema = z.union([
  variant(
    'event',
    z
      .strictObject({ ...givenShape, event: z.string().min(1).max(200), properties: propertiesSchema.optional() })
      .describe('What the user did.'),
  ),
  variant('traits', z.strictObject({ ...givenShape, traits: propertiesSchema }).describe('What the user is like.')),
  variant(
    'community',
    z
      .strictObject({
        ...givenShape,
        community: z.string().min(1).max(200),
        leader: z.string().min(1).max(200).optional().describe('Who leads the community.'),
      })
      .describe('The community that the user belongs to.'),
  ),
])

const whomShape = {
  user: z.string().min(1).optional().describe('About this user.'),
  community: z.string().min(1).optional().describe('About this community.'),
  leader: z.string().min(1).optional().describe('About this leader.'),
}
const whenSchema = timeSchema.optional().describe('At this time; the end of the test when left out.')

const decisionShape = {
  ...whomShape,
  rule: z.string().min(1).optional().describe('The tag, score, journey, policy or offer that decides.'),
  with: propertiesSchema.optional().describe('Details that the decision has, such as { "channel": "sms" }.'),
}

const expectSchema = z.union([
  variant(
    'decision',
    z
      .strictObject({
        decision: z.string().min(1).describe('Such as "tag.added" or "message.accepted".'),
        ...decisionShape,
        at: timeSchema.optional().describe('At exactly this time; at any when left out.'),
        times: z.int().min(1).max(100_000).optional().describe('How often; at least once when left out.'),
      })
      .describe('This is decided.'),
  ),
  variant('never', z.strictObject({ never: z.string().min(1), ...decisionShape }).describe('This is never decided.')),
  variant(
    'tag',
    z
      .strictObject({ tag: z.string().min(1), ...whomShape, at: whenSchema, is: z.boolean().optional() })
      .describe('The subject has the tag; with "is": false, it does not.'),
  ),
  variant(
    'score',
    z
      .strictObject({
        score: z.string().min(1),
        ...whomShape,
        at: whenSchema,
        is: z.union([z.number().describe('The value.'), z.string().describe('The id of the tier.')]),
      })
      .describe('The score has this value or tier.'),
  ),
  variant(
    'journey',
    z
      .strictObject({
        journey: z.string().min(1),
        ...whomShape,
        at: whenSchema,
        is: z
          .union([z.boolean().describe('Whether it is inside.'), z.string().describe('The step at which it waits.')])
          .optional(),
      })
      .describe('The subject is in the journey; with "is", at this step, or not in it.'),
  ),
])

export const testSchema = z
  .strictObject({
    kind: z.literal('test'),
    id: idSchema,
    name: nameSchema,
    description: descriptionSchema,
    start: z.string().optional().describe('When the test begins, ISO 8601; 2026-01-01T00:00:00+08:00 when left out.'),
    given: z.array(givenSchema).max(10_000).describe('What happens.'),
    until: timeSchema.optional().describe('When the test ends; at the last time that it names when left out.'),
    expect: z.array(expectSchema).min(1).max(1000),
  })
  .meta({ id: 'Test', description: 'What rules should make of what happens.' })

export type TestDefinition = z.infer<typeof testSchema>
export type TestGiven = TestDefinition['given'][number]
export type TestExpectation = TestDefinition['expect'][number]
