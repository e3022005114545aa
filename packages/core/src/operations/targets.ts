import { type HaltTarget, nearest, type Program } from '@linli/rules'
import { EngineError } from '../errors.js'

/**
 * Refuses a target that is not there: a journey that the rules do not have and no run can be in, a channel that nothing sends by.
 *
 * @throws EngineError `rule.unknown`, `channel.unknown`
 */
export function checkTarget(target: HaltTarget, program: Program, channels: Iterable<string>): void {
  if (target === 'everything') return
  if ('journey' in target) {
    checkJourney(target.journey, program)
    return
  }
  const { channel } = target
  const known = new Set([...channels, ...channelsOf(program)])
  if (known.has(channel)) return
  const message = `Nothing sends by a channel ${JSON.stringify(channel)}.${hint(channel, known)}`
  throw new EngineError('channel.unknown', message, { channel, known: [...known] })
}

/** @throws EngineError `rule.unknown` */
export function checkJourney(journey: string, { journeysByHash }: Program): void {
  const known = new Set([...journeysByHash.values()].map(({ id }) => id))
  if (known.has(journey)) return
  const message = `There is no journey ${JSON.stringify(journey)}.${hint(journey, known)}`
  throw new EngineError('rule.unknown', message, { rule: journey, known: [...known] })
}

function channelsOf({ journeysByHash, offers }: Program): string[] {
  const steps = [...journeysByHash.values()].flatMap((journey) => journey.steps)
  const issuers = [...offers.values()].flatMap(({ issuer }) => issuer ?? [])
  return [...steps.flatMap((step) => (step.verb === 'send' ? step.channels : [])), ...issuers]
}

function hint(name: string, known: ReadonlySet<string>): string {
  const near = nearest(name, known)
  if (near !== undefined) return ` Did you mean ${JSON.stringify(near)}?`
  return ` There ${known.size === 0 ? 'is none' : `are: ${[...known].join(', ')}`}.`
}
