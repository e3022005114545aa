import * as z from 'zod'
import { type Conditions, conditionsSchema } from '../conditions/tree.js'
import { eventNames } from '../facts/event-filter.js'
import type { MessageClass } from './common.js'
import { channelNameSchema, classSchema, durationSchema, idSchema } from './common.js'
import { variant } from './variant.js'
import { type WaitDefinition, waitSchema } from './wait.js'

/** One step of a journey: an id, one verb, and for some verbs the steps nested below it. */
export type StepDefinition = { readonly id: string } & (
  | { readonly wait: WaitDefinition; readonly else?: StepDefinition[] }
  | {
      readonly waitFor:
        | { readonly event: string | string[]; readonly conditions?: Conditions; readonly timeout: string }
        | { readonly any: WaitCaseDefinition[]; readonly timeout: string }
      readonly then?: StepDefinition[]
      readonly else?: StepDefinition[]
    }
  | {
      readonly branch: { readonly conditions: Conditions; readonly then: StepDefinition[] }[]
      readonly else?: StepDefinition[]
    }
  | { readonly split: { readonly id: string; readonly weight: number; readonly then?: StepDefinition[] }[] }
  | {
      readonly send: {
        readonly template: string
        readonly channel: string | string[]
        readonly class: MessageClass
      }
      readonly on?: SendBranches
    }
  | { readonly issue: { readonly offer: string }; readonly else?: StepDefinition[] }
  | { readonly suggest: { readonly to: 'leader'; readonly template: string; readonly expires?: string } }
  | { readonly tag: { readonly add: string } | { readonly remove: string } }
  | { readonly set: { readonly trait: string; readonly value: z.core.util.JSONType } }
  | { readonly emit: { readonly event: string; readonly properties?: Readonly<Record<string, z.core.util.JSONType>> } }
  | {
      readonly start: { readonly journey: string; readonly wait?: string }
      readonly then?: StepDefinition[]
      readonly else?: StepDefinition[]
    }
  | {
      readonly digest: {
        readonly for: WaitDefinition
        readonly event?: string | string[]
        readonly conditions?: Conditions
        readonly keep?: number
      }
    }
  | { readonly exit: { readonly reason?: string } }
)

/** What follows a message, by what became of it. */
export type SendBranches = { readonly [Outcome in SendOutcome]?: StepDefinition[] | undefined }

/**
 * What may become of a message: the provider took it; it would not; or a policy, a template without a value, or the lack of
 * a way to reach the person kept it back.
 */
export const SEND_OUTCOMES = ['accepted', 'refused', 'suppressed'] as const
export type SendOutcome = (typeof SEND_OUTCOMES)[number]

/** One of several things that a run may wait for: an event, or that conditions hold. */
export type WaitCaseDefinition = { readonly id: string; readonly then?: StepDefinition[] } & (
  | { readonly event: string | string[]; readonly conditions?: Conditions }
  | { readonly conditions: Conditions }
)

/** The words that say what a step does. */
export const STEP_VERBS = [
  'wait',
  'waitFor',
  'branch',
  'split',
  'send',
  'issue',
  'suggest',
  'tag',
  'set',
  'emit',
  'start',
  'digest',
  'exit',
] as const

export const stepsSchema: z.ZodType<StepDefinition[]> = z.lazy(() => z.array(stepSchema).min(1).max(200))

/** A step: its id, its verb, and what belongs to the verb. */
function step<Shape extends z.core.$ZodLooseShape>(verb: (typeof STEP_VERBS)[number], shape: Shape, meaning: string) {
  return variant(verb, z.strictObject({ id: idSchema, ...shape }).describe(meaning))
}

const timeoutSchema = durationSchema.describe('How long to wait at most.')

const waitCaseShape = { id: idSchema.describe('The name of the case.'), then: stepsSchema.optional() }

const waitCaseSchema = z.union([
  variant(
    'event',
    z
      .strictObject({ ...waitCaseShape, event: eventNames, conditions: conditionsSchema.optional() })
      .describe('When this event comes.'),
  ),
  variant(
    'conditions',
    z.strictObject({ ...waitCaseShape, conditions: conditionsSchema }).describe('As soon as these conditions hold.'),
  ),
])

const waitForSchema = z.union([
  variant(
    'event',
    z.strictObject({ event: eventNames, conditions: conditionsSchema.optional(), timeout: timeoutSchema }),
  ),
  variant('any', z.strictObject({ any: z.array(waitCaseSchema).min(1).max(20), timeout: timeoutSchema })),
])

const branchSchema = z
  .array(z.strictObject({ conditions: conditionsSchema, then: stepsSchema }))
  .min(1)
  .max(50)

const splitSchema = z
  .array(
    z.strictObject({
      id: idSchema.describe('The name of the variant.'),
      weight: z.number().positive().max(1_000_000).describe('Its part of all weights together.'),
      then: stepsSchema.optional().describe('Left out: goes on with the next step.'),
    }),
  )
  .min(2)
  .max(20)

const sendSchema = z.strictObject({
  template: z.string().describe('The id of a template.'),
  channel: z
    .union([channelNameSchema, z.array(channelNameSchema).min(1).max(10)])
    .describe('A channel, or several in order of preference.'),
  class: classSchema,
})

const sendBranchesSchema = z
  .strictObject({
    accepted: stepsSchema.optional().describe('When the provider took the message.'),
    refused: stepsSchema.optional().describe('When no provider took it.'),
    suppressed: stepsSchema.optional().describe('When it was not to be sent: no consent, a cap …'),
  })
  .describe('What follows, by what became of the message. Left out: goes on with the next step.')

const suggestSchema = z.strictObject({
  to: z.literal('leader'),
  template: z.string().describe('The id of a template.'),
  expires: durationSchema.optional().describe('How long the suggestion is of use; 7 days when left out.'),
})

const tagChangeSchema = z.union([
  variant('add', z.strictObject({ add: z.string().describe('The id of a tag without conditions.') })),
  variant('remove', z.strictObject({ remove: z.string().describe('The id of a tag without conditions.') })),
])

const saidValue = z.json().describe('JSON, or a fact: { "fact": "event", "params": { "property": "orderId" } }.')

const setSchema = z.strictObject({ trait: z.string().min(1).max(100), value: saidValue })

const emitSchema = z.strictObject({
  event: z
    .string()
    .min(1)
    .max(200)
    .refine(
      (name) => !['identify', 'group', 'alias'].includes(name),
      'An event has another name than "identify", "group" and "alias"',
    ),
  properties: z.record(z.string().min(1), saidValue).optional().describe('What it says, beyond journey, run and step.'),
})

const startSchema = z.strictObject({
  journey: z.string().describe('The id of a journey for the same kind of subject.'),
  wait: durationSchema
    .optional()
    .describe('Waits until that run has ended, at most so long. Left out: goes on at once.'),
})

const digestSchema = z.strictObject({
  for: waitSchema.describe('How long to collect: a duration, until a local time …'),
  event: eventNames.optional().describe('What is collected; the event that the journey is entered by when left out.'),
  conditions: conditionsSchema.optional().describe('About the event at hand.'),
  keep: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('How many of the events templates can read, the latest; 20 when left out.'),
})

const otherwise = (meaning: string) => stepsSchema.optional().describe(meaning)

const stepSchema = z
  .union([
    step(
      'wait',
      { wait: waitSchema, else: otherwise('When the trait says no date, or one that is over.') },
      "Waits this long, until a local time, or until a trait's date.",
    ),
    step(
      'waitFor',
      {
        waitFor: waitForSchema,
        then: otherwise('When the event came. Of several, each has its own.'),
        else: otherwise('When nothing of it came in time.'),
      },
      'Waits for an event, or for the first of several events and conditions.',
    ),
    step(
      'branch',
      { branch: branchSchema, else: otherwise('When none of the conditions hold.') },
      'Takes the first branch whose conditions hold.',
    ),
    step('split', { split: splitSchema }, 'Takes one of several variants, always the same one for the same subject.'),
    step('send', { send: sendSchema, on: sendBranchesSchema.optional() }, 'Sends a message.'),
    step(
      'issue',
      {
        issue: z.strictObject({ offer: z.string().describe('The id of an offer.') }),
        else: otherwise('When no coupon could be issued.'),
      },
      'Issues a coupon.',
    ),
    step('suggest', { suggest: suggestSchema }, 'Suggests something to the leader.'),
    step('tag', { tag: tagChangeSchema }, 'Puts a tag on, or takes it off. The tag is one without conditions.'),
    step('set', { set: setSchema }, 'Sets a trait of the user.'),
    step('emit', { emit: emitSchema }, 'Adds an event of the user to the log, for rules to look at.'),
    step(
      'start',
      {
        start: startSchema,
        then: otherwise('When it has begun; with "wait", when it has ended.'),
        else: otherwise('When it could not begin; with "wait", also when it has not ended in time.'),
      },
      'Starts another journey for the same subject.',
    ),
    step('digest', { digest: digestSchema }, 'Collects events for a while, for one message about all of them.'),
    step('exit', { exit: z.strictObject({ reason: z.string().max(200).optional() }) }, 'Ends the run.'),
  ])
  .meta({ id: 'Step' }) as z.ZodType<StepDefinition>

/** The ids of all steps, those nested in others too. */
export function stepIdsOf(steps: readonly StepDefinition[]): ReadonlySet<string> {
  return new Set([...stepsOf(steps)].map(({ step }) => step.id))
}

/** A step and where below its journey it stands. */
export interface StepAt {
  readonly step: StepDefinition
  readonly pointer: string
}

/** All steps, those nested in others too. */
export function* stepsOf(steps: readonly StepDefinition[], pointer = 'steps'): Generator<StepAt> {
  for (const [index, step] of steps.entries()) {
    const at = `${pointer}/${index}`
    yield { step, pointer: at }
    if ('branch' in step) {
      for (const [place, one] of step.branch.entries()) yield* stepsOf(one.then, `${at}/branch/${place}/then`)
    }
    if ('waitFor' in step && 'any' in step.waitFor) {
      for (const [place, one] of step.waitFor.any.entries()) {
        yield* stepsOf(one.then ?? [], `${at}/waitFor/any/${place}/then`)
      }
    }
    if ('split' in step) {
      for (const [place, one] of step.split.entries()) yield* stepsOf(one.then ?? [], `${at}/split/${place}/then`)
    }
    if ('on' in step && step.on) {
      for (const outcome of SEND_OUTCOMES) yield* stepsOf(step.on[outcome] ?? [], `${at}/on/${outcome}`)
    }
    if ('then' in step && step.then) yield* stepsOf(step.then, `${at}/then`)
    if ('else' in step && step.else) yield* stepsOf(step.else, `${at}/else`)
  }
}
