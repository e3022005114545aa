import type { Program } from '@linli/rules'
import { EngineError } from '../errors.js'
import type { Channel } from '../ports/channel.js'
import type { CouponIssuer } from '../ports/issuer.js'

/** All whom an engine calls, by name. */
export interface Providers {
  readonly channels: ReadonlyMap<string, Channel>
  readonly issuers: ReadonlyMap<string, CouponIssuer>
  /** Both: each has a line of its own for what waits for it. */
  readonly lines: ReadonlyMap<string, Channel | CouponIssuer>
}

export function providersOf({
  channels = [],
  issuers = [],
}: {
  readonly channels?: readonly Channel[]
  readonly issuers?: readonly CouponIssuer[]
}): Providers {
  const lines = new Map<string, Channel | CouponIssuer>()
  for (const line of [...channels, ...issuers]) {
    if (lines.has(line.name)) {
      const message = `Two channels or issuers are called ${JSON.stringify(line.name)}.`
      throw new EngineError('channel.duplicate', message, { channel: line.name })
    }
    checkRate(line)
    lines.set(line.name, line)
  }
  const byName = <T extends { readonly name: string }>(all: readonly T[]) => new Map(all.map((one) => [one.name, one]))
  return { channels: byName(channels), issuers: byName(issuers), lines }
}

function checkRate({ name, rate }: Channel | CouponIssuer): void {
  if (rate === undefined) return
  const isFit = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 1
  if (isFit(rate.max) && isFit(rate.perMs)) return
  const message = `The rate of ${JSON.stringify(name)} is ${JSON.stringify(rate)}. It takes whole numbers from 1: { max: 20, perMs: 1000 }.`
  throw new EngineError('channel.rate', message, { channel: name })
}

/** Every channel that a journey sends by, and every issuer of an offer, must be there. */
export function checkProviders({ channels, issuers }: Providers, program: Program): void {
  for (const journey of program.journeys.values()) {
    for (const step of journey.steps) {
      const missing = step.verb === 'send' ? step.channels.find((name) => !channels.has(name)) : undefined
      if (missing === undefined) continue
      const message = `Journey "${journey.id}", step "${step.id}" sends by channel ${JSON.stringify(missing)}, which the engine was not given. It has: ${namesOf(channels)}.`
      throw new EngineError('channel.missing', message, { journey: journey.id, step: step.id, channel: missing })
    }
  }
  for (const { id, issuer } of program.offers.values()) {
    if (issuer === undefined || issuers.has(issuer)) continue
    const message = `Offer "${id}" is issued by ${JSON.stringify(issuer)}, an issuer which the engine was not given. It has: ${namesOf(issuers)}.`
    throw new EngineError('issuer.missing', message, { offer: id, issuer })
  }
}

function namesOf(all: ReadonlyMap<string, unknown>): string {
  return all.size === 0 ? 'none' : [...all.keys()].join(', ')
}
