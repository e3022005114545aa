import {
  DURATION_FORMS,
  formatProblem,
  hashShare,
  type Pack,
  Problems,
  parseDuration,
  readShape,
  stepsOf,
} from '@linli/rules'
import * as z from 'zod'
import { EngineError } from '../errors.js'
import type { SendResult } from '../ports/channel.js'

const share = z.number().min(0).max(1)

const channelOutcomesSchema = z.strictObject({
  refused: share
    .optional()
    .describe('The share of messages whose recipient the provider does not reach; 0 when left out.'),
  deferred: share.optional().describe('The share of messages that the provider takes only later; 0 when left out.'),
  delay: z.string().optional().describe('How much later, such as "30m"; 10 minutes when left out.'),
})

const outcomesSchema = z.strictObject({
  seed: z.union([z.string(), z.number()]).describe('Another seed, other fates.'),
  channels: z
    .record(z.string(), channelOutcomesSchema)
    .describe('By channel, or issuer of coupons; "*" is all others.'),
})

/**
 * What becomes of the messages of a simulation. Each one's fate follows from the seed and its delivery key alone: it is the
 * same in every simulation, in whatever order messages are sent.
 *
 * @example { seed: 1, channels: { sms: { refused: 0.03, deferred: 0.1, delay: '30m' }, '*': { refused: 0.01 } } }
 */
export type DeliveryOutcomes = z.infer<typeof outcomesSchema>

/** What a provider answers to a delivery: at its first call, or a further one. */
export type Fate = (channel: string, deliveryKey: string, call: { attempt: number; at: Date }) => SendResult

const ACCEPTED: SendResult = { status: 'accepted' }
const OTHERS = '*'
const DELAY_MS = 600_000

/** Every message is accepted at once. */
export const ALL_ACCEPTED: Fate = () => ACCEPTED

/** Reads outcomes for packs that send. Throws `EngineError` (`outcomes.invalid`) with all that is wrong. */
export function fateOf(outcomes: unknown, packs: readonly Pack[]): Fate {
  if (outcomes === undefined) return ALL_ACCEPTED
  const { seed, channels: byChannel } = readOutcomes(outcomes, packs.flatMap(channelsOf))
  return (channel, deliveryKey, { attempt, at }) => {
    const { refused = 0, deferred = 0, delay } = byChannel[channel] ?? byChannel[OTHERS] ?? {}
    const drawn = hashShare(`${seed}|${deliveryKey}`)
    if (drawn < refused) return { status: 'refused', reason: 'recipient' }
    if (attempt > 1 || drawn >= refused + deferred) return ACCEPTED
    return { status: 'deferred', retryAt: new Date(at.getTime() + (parseDuration(delay) ?? DELAY_MS)) }
  }
}

function channelsOf({ journeys, offers }: Pack): string[] {
  const steps = journeys.flatMap(({ definition }) => [...stepsOf(definition.steps)])
  const issuers = offers.flatMap(({ definition }) => definition.issuer ?? [])
  return [...new Set([...steps.flatMap(({ step }) => ('send' in step ? step.send.channel : [])), ...issuers])]
}

function readOutcomes(outcomes: unknown, channels: readonly string[]): DeliveryOutcomes {
  const problems = new Problems()
  const shape = readShape(outcomesSchema, outcomes, { file: 'outcomes', pointer: '' }, problems)
  if (shape.ok) checkChannels(shape.value, channels, problems)
  if (!shape.ok || problems.hasErrors) {
    const message = `These outcomes are not right.\n${problems.list.map(formatProblem).join('\n')}`
    throw new EngineError('outcomes.invalid', message, { problems: problems.list })
  }
  return shape.value
}

function checkChannels(outcomes: DeliveryOutcomes, channels: readonly string[], problems: Problems): void {
  for (const [name, { refused = 0, deferred = 0, delay }] of Object.entries(outcomes.channels)) {
    const place = { file: 'outcomes', pointer: `/channels/${name}` }
    if (name !== OTHERS && !channels.includes(name)) {
      const message = `The rules send nothing by ${JSON.stringify(name)}. They send by: ${[...new Set(channels)].join(', ') || 'nothing'}. "*" is all others.`
      problems.error(place, 'channel.unknown', message, { found: name, name, known: channels })
    }
    if (refused + deferred > 1) {
      const message = 'The shares that are refused and deferred are more than 1 together.'
      problems.error(place, 'outcomes.shares', message, { found: { refused, deferred } })
    }
    if (delay !== undefined && parseDuration(delay) === undefined) {
      const at = { ...place, pointer: `${place.pointer}/delay` }
      problems.error(at, 'duration.invalid', `A duration looks like ${DURATION_FORMS}.`, { found: delay })
    }
  }
}
