import * as z from 'zod'
import { conditionsSchema } from '../conditions/tree.js'
import {
  channelNameSchema,
  classSchema,
  descriptionSchema,
  durationSchema,
  idSchema,
  localTimeSchema,
  nameSchema,
  subjectSchema,
} from './common.js'
import { journeySchema } from './journey.js'
import { type TestDefinition, testSchema } from './rule-test.js'
import { scoreSchema } from './score.js'
import { variant } from './variant.js'

const tagSchema = z
  .strictObject({
    kind: z.literal('tag'),
    id: idSchema,
    name: nameSchema,
    description: descriptionSchema,
    subject: subjectSchema,
    conditions: conditionsSchema
      .optional()
      .describe('Who has the tag, at every instant. Left out: only journeys put it on and take it off.'),
  })
  .meta({ id: 'Tag', description: 'A mark that subjects have while its conditions hold.' })

const conditionSchema = z
  .strictObject({
    kind: z.literal('condition'),
    id: idSchema,
    name: nameSchema,
    description: descriptionSchema,
    conditions: conditionsSchema,
  })
  .meta({ id: 'NamedConditions', description: 'Conditions that others use by { "condition": id }.' })

const templateText = z.string().min(1).max(20_000)

const copySchema = z
  .strictObject({
    instructions: templateText.describe(
      'What to write, for the copywriter, such as "用亲切的语气写一句话，请{{ traits.name }}试吃{{ entry.product }}". It learns nothing else.',
    ),
    fallback: templateText.describe('The text where none was written, or none that may be used.'),
    maxLength: z.int().min(1).max(2000).optional().describe('How many characters it may have; 100 when left out.'),
    forbid: z
      .array(z.string().min(1).max(60))
      .min(1)
      .max(200)
      .optional()
      .describe('Words that must not be in it, such as "最低价". Upper and lower case are the same.'),
  })
  .describe(
    'A text written for each recipient, by the copywriter that the engine is given. The template puts it where it reads {{ copy }}.',
  )

const templateSchema = z
  .strictObject({
    kind: z.literal('template'),
    id: idSchema,
    name: nameSchema,
    description: descriptionSchema,
    title: templateText.optional(),
    body: templateText.describe('Liquid text, such as "{{ traits.name }}，您好".'),
    data: z
      .record(z.string().min(1).max(60), templateText)
      .optional()
      .describe('More rendered fields for the channel, such as a page path.'),
    copy: copySchema.optional(),
  })
  .meta({ id: 'Template', description: 'The text of a message.' })

const budgetSchema = z
  .strictObject({
    money: z.number().positive().max(1_000_000_000).describe('What all coupons together may be worth, by "value".'),
    within: durationSchema.optional().describe('In any window of this length.'),
    during: z
      .enum(['today', 'thisWeek', 'thisMonth'])
      .optional()
      .describe('In a period of the calendar; weeks from Monday.'),
    timeZone: z.string().optional().describe('IANA zone of that calendar; Asia/Shanghai when left out.'),
  })
  .describe('The most that coupons may be worth, ever where neither "within" nor "during" says otherwise.')

const offerSchema = z
  .strictObject({
    kind: z.literal('offer'),
    id: idSchema,
    name: nameSchema,
    description: descriptionSchema,
    total: z
      .int()
      .min(1)
      .max(100_000_000)
      .optional()
      .describe('How many coupons may ever be issued. May be left out with "codes" or "issuer".'),
    perPerson: z.int().min(1).max(1000).optional().describe('How many one person may get; 1 when left out.'),
    until: z.string().max(40).optional().describe('From when on none is issued, such as "2026-12-01T00:00:00+08:00".'),
    expires: durationSchema.optional().describe('How long a coupon is good for once issued; left out: no end.'),
    value: z
      .number()
      .min(0)
      .max(1_000_000_000)
      .optional()
      .describe('What the coupon is worth, for templates and the budget.'),
    budget: budgetSchema.optional(),
    codes: z
      .literal('given')
      .optional()
      .describe('The codes are those that the shop has loaded; left out: they are made up, or the issuer has its own.'),
    issuer: channelNameSchema
      .optional()
      .describe('Who issues the coupons, where linli does not: one of the issuers that the engine is given.'),
    stock: z.string().min(1).max(100).optional().describe('What the issuer calls this kind of coupon.'),
    returns: z
      .enum(['never', 'unsent'])
      .optional()
      .describe('"unsent": a coupon goes back to the pool when its run has ended and no message told its code.'),
  })
  .meta({ id: 'Offer', description: 'A coupon and its pool.' })

const policyScope = {
  classes: z.array(classSchema).min(1).optional().describe('Message classes it is about.'),
  channels: z.array(channelNameSchema).min(1).optional().describe('Channels it is about; all when left out.'),
}

const consentSchema = z
  .strictObject(policyScope)
  .describe('Messages of these classes (promotion when left out) need a consent_granted event first.')

const quietHoursSchema = z
  .strictObject({
    ...policyScope,
    from: localTimeSchema.describe('First local time at which nothing is sent.'),
    to: localTimeSchema.describe('First local time at which sending goes on.'),
    timeZone: z
      .string()
      .optional()
      .describe('IANA zone of recipients without a timeZone trait; Asia/Shanghai if absent.'),
  })
  .describe('Messages of these classes (content and promotion when left out) wait until the quiet hours end.')

const sendWindow = {
  within: durationSchema.optional().describe('In any window of this length.'),
  during: z
    .enum(['today', 'thisWeek', 'thisMonth'])
    .optional()
    .describe('In a period of the calendar; weeks from Monday.'),
}

const fromJourneys = {
  journeys: z.array(z.string()).min(1).optional().describe('Messages of these journeys only; of all when left out.'),
}

const capSchema = z
  .strictObject({
    ...policyScope,
    ...fromJourneys,
    max: z.int().min(0).max(10_000).describe('How many messages one subject may get.'),
    ...sendWindow,
  })
  .describe('Messages beyond the cap are not sent.')

const quotaSchema = z
  .strictObject({
    channels: z.array(channelNameSchema).min(1).describe('The channels of the provider.'),
    max: z
      .union([z.int().min(0).max(10_000), z.literal('daysOfMonth')])
      .describe('How many messages one subject may get by them, or as many as the month has days.'),
    ...sendWindow,
    timeZone: z.string().optional().describe("The provider's IANA zone; Asia/Shanghai when left out."),
  })
  .describe("What a provider lets through to one recipient. Beyond it, a step's next channel is tried.")

const mixSchema = z
  .strictObject({
    ...policyScope,
    share: z
      .number()
      .min(0)
      .max(1)
      .describe('The most that messages of these classes (promotion when left out) may be.'),
    within: durationSchema
      .optional()
      .describe('Of all that a subject gets in any window of this length; 7d when left out.'),
    of: z
      .literal('community')
      .optional()
      .describe('Of all that the members of a community get together; of what each gets alone when left out.'),
  })
  .describe('Keeps promotions to a share of all messages, such as 0.2: seven parts service, three parts selling.')

const sendBudgetSchema = z
  .strictObject({
    ...policyScope,
    ...fromJourneys,
    messages: z.int().min(0).max(1_000_000_000).optional().describe('How many messages may be sent.'),
    money: z.number().min(0).max(1_000_000_000).optional().describe('How much all messages may cost together.'),
    costs: z
      .record(channelNameSchema, z.number().min(0).max(1_000_000))
      .optional()
      .describe('What one message costs by each channel; what goes by other channels costs nothing.'),
    ...sendWindow,
    timeZone: z.string().optional().describe('The IANA zone that "during" goes by; Asia/Shanghai when left out.'),
    of: z
      .literal('community')
      .optional()
      .describe('For the members of each community by themselves; for everybody together when left out.'),
  })
  .describe("What may be sent or spent, by everybody together. Beyond it, a step's next channel is tried.")

const controlSchema = z
  .strictObject({
    share: z.number().min(0).max(1).describe('The share of all subjects, always the same ones.'),
    classes: z
      .array(classSchema)
      .min(1)
      .optional()
      .describe(
        'Journeys that send messages of these classes only (content and promotion when left out) are kept from them.',
      ),
  })
  .describe('A control group: kept out of all journeys but those that serve, to compare with.')

const policyBase = { kind: z.literal('policy'), id: idSchema, name: nameSchema, description: descriptionSchema }

const policySchema = z
  .union([
    variant('consent', z.strictObject({ ...policyBase, consent: consentSchema })),
    variant('quietHours', z.strictObject({ ...policyBase, quietHours: quietHoursSchema })),
    variant('cap', z.strictObject({ ...policyBase, cap: capSchema })),
    variant('quota', z.strictObject({ ...policyBase, quota: quotaSchema })),
    variant('mix', z.strictObject({ ...policyBase, mix: mixSchema })),
    variant('budget', z.strictObject({ ...policyBase, budget: sendBudgetSchema })),
    variant('control', z.strictObject({ ...policyBase, control: controlSchema })),
  ])
  .meta({
    id: 'Policy',
    description: 'What must hold when a message is about to be sent; or who is kept out of journeys.',
  })

const historySchema = z
  .strictObject({
    kind: z.literal('history'),
    id: idSchema.optional(),
    name: nameSchema,
    description: descriptionSchema,
    keep: durationSchema.describe('How long events are kept, such as "400d".'),
  })
  .meta({
    id: 'History',
    description: 'How long events are kept. A pack has one, or none: then they are kept for ever.',
  })

/** One schema for each kind of object a pack may have. */
export const DEFINITION_SCHEMAS = {
  tag: tagSchema,
  score: scoreSchema,
  condition: conditionSchema,
  journey: journeySchema,
  template: templateSchema,
  offer: offerSchema,
  policy: policySchema,
  history: historySchema,
  test: testSchema,
} as const

export type DefinitionKind = keyof typeof DEFINITION_SCHEMAS
export const DEFINITION_KINDS = Object.keys(DEFINITION_SCHEMAS) as readonly DefinitionKind[]

export type TagDefinition = z.infer<typeof tagSchema>
export type ConditionDefinition = z.infer<typeof conditionSchema>
export type TemplateDefinition = z.infer<typeof templateSchema>
export type OfferDefinition = z.infer<typeof offerSchema>
export type PolicyDefinition = z.infer<typeof policySchema>
export type HistoryDefinition = z.infer<typeof historySchema>
export type { JourneyDefinition } from './journey.js'
export type { ScoreDefinition } from './score.js'
export type { TestDefinition }
export type Definition = z.infer<(typeof DEFINITION_SCHEMAS)[DefinitionKind]>
