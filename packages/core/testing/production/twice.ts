import type { Pack } from '@linli/rules'
import type { Decision } from '../../src/domain/decision.js'
import { createEngine } from '../../src/engine.js'
import type { IncomingEvent } from '../../src/ingest/event.js'
import type { Channel } from '../../src/ports/channel.js'
import type { Store } from '../../src/ports/store.js'
import { virtualClock } from '../../src/queue/clocks.js'
import { type DeliveryOutcomes, type Fate, fateOf } from '../../src/simulation/outcomes.js'
import { simulate } from '../../src/simulation/simulate.js'
import { simulatedIssuer } from '../../src/simulation/world.js'
import { seenByProcess } from '../stores.js'

// The same rules and events twice: through the simulation, and as a shop runs them.

export interface Recording {
  readonly rules: Pack
  /** In the order in which they arrive. Those with a time later than all before take the clock there. */
  readonly events: readonly IncomingEvent[]
  readonly until: number
  /** What providers answer; all accept when left out. */
  readonly outcomes?: DeliveryOutcomes
}

/** What the simulation decides, one line each, as `linli simulate --decisions` writes them. */
export async function simulatedLines(recording: Recording): Promise<readonly string[]> {
  const lines: string[] = []
  await simulate({ ...recording, onDecision: (decision) => lines.push(lineOf(decision)) })
  return lines
}

/**
 * What two processes over one database decide under a clock that they share: each event goes to one of them in turn, and
 * what is due is done by the other. Closes the store.
 */
export async function liveLines(
  { rules, events, until, outcomes }: Recording,
  store: Store,
): Promise<readonly string[]> {
  const clock = virtualClock(timeOf(events[0]) ?? until)
  let codes = 0
  const makeCode = () => `TEST-${String(++codes).padStart(6, '0')}`
  const fate = fateOf(outcomes, [rules])
  const providers = {
    channels: channelsOf(rules, fate),
    issuers: issuerNames(rules).map((name) => simulatedIssuer(name, fate, makeCode)),
  }
  const start = () => createEngine({ rules, clock, makeCode, ...providers, database: seenByProcess(store).store })
  await store.migrate()
  const processes = [await start(), await start()] as const
  let turn = 0
  const next = () => processes[++turn % 2 === 0 ? 0 : 1]
  const reach = async (instant: number) => {
    for (let due = await next().nextDue(); due !== undefined && due <= instant; due = await next().nextDue()) {
      clock.moveTo(due)
      await next().settle()
    }
    clock.moveTo(instant)
  }
  for (const event of events) {
    const at = timeOf(event)
    if (at !== undefined && at > clock.now()) await reach(at)
    await next().ingest([event])
    await next().settle()
  }
  await reach(until)
  const decisions = await next().decisions()
  for (const process of processes) await process.close()
  await store.close()
  return decisions.map(lineOf)
}

function timeOf(event: IncomingEvent | undefined): number | undefined {
  return event?.timestamp === undefined ? undefined : new Date(event.timestamp).getTime()
}

/** A channel for each name in the rules, whose provider answers as `fate` says. */
function channelsOf(rules: Pack, fate: Fate): readonly Channel[] {
  const text = JSON.stringify(rules)
  const named = [...text.matchAll(/"channel":(\[[^\]]*\]|"[^"]*")/g)].flatMap(([, names = '']) => JSON.parse(names))
  return [...new Set(named as string[])].map((name) => ({
    name,
    repeat: { kind: 'idempotent', windowMs: Number.MAX_SAFE_INTEGER },
    send: (message, call) => Promise.resolve(fate(name, message.deliveryKey, call)),
  }))
}

function issuerNames({ offers }: Pack): readonly string[] {
  return [...new Set(offers.flatMap(({ definition }) => definition.issuer ?? []))]
}

function lineOf({ at, subject, decision, rule, ...details }: Decision): string {
  return JSON.stringify({ at: new Date(at).toISOString(), subject, decision, rule, ...details })
}

/** The first line in which two logs differ, and where; undefined where they are the same. */
export function differenceOf(simulated: readonly string[], live: readonly string[]): string | undefined {
  const index = simulated.findIndex((line, place) => line !== live[place])
  if (index < 0 && simulated.length === live.length) return undefined
  const place = index < 0 ? simulated.length : index
  return `line ${place + 1} of ${simulated.length}\n  simulated: ${simulated[place]}\n  live:      ${live[place]}`
}
