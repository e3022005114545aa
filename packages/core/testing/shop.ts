import { definePack } from '@linli/rules'
import type { Engine, EngineOptions } from '../src/door.js'
import { createEngine } from '../src/engine.js'
import type { IncomingEvent } from '../src/ingest/event.js'
import type { Store } from '../src/ports/store.js'
import { type VirtualClock, virtualClock } from '../src/queue/clocks.js'
import { memoryStore } from '../src/storage/memory/store.js'
import { createWorld } from '../src/testing/create-world.js'

/** Noon in Shanghai: no quiet hours. */
export const NOON = '2026-03-01T12:00:00+08:00'

let messages = 0

export function track(event: string, userId: string, properties: IncomingEvent['properties'] = {}): IncomingEvent {
  return { type: 'track', event, userId, messageId: `m-${++messages}`, properties }
}

export function identify(userId: string, traits: IncomingEvent['traits'] = {}): IncomingEvent {
  return { type: 'identify', userId, messageId: `m-${++messages}`, traits }
}

export function group(userId: string, groupId: string, traits: IncomingEvent['traits'] = {}): IncomingEvent {
  return { type: 'group', userId, groupId, messageId: `m-${++messages}`, traits }
}

/** A world whose rules stand in the test. */
export function worldOf(
  rules: readonly unknown[],
  options: Omit<Parameters<typeof createWorld>[0], 'rules' | 'now'> & { readonly now?: string } = {},
) {
  return createWorld({ now: NOON, ...options, rules: definePack(rules) })
}

/** Processes over one store, each with an engine of its own and a clock that they share. */
export interface Shop {
  readonly store: Store
  readonly clock: VirtualClock
  /** Starts one more process. */
  start(options?: Partial<EngineOptions>): Promise<Engine>
}

export function shopOf(rules: readonly unknown[], { store = memoryStore() }: { readonly store?: Store } = {}): Shop {
  const clock = virtualClock(NOON)
  const pack = definePack(rules)
  return { store, clock, start: (options = {}) => createEngine({ rules: pack, clock, database: store, ...options }) }
}

/** Decisions in short: `message.deferred quiet hours`. */
export async function log(engine: Pick<Engine, 'decisions'>, prefix: string): Promise<string[]> {
  const found = (await engine.decisions()).filter(({ decision }) => decision.startsWith(prefix))
  return found.map(({ decision, reason }) => (reason === undefined ? decision : `${decision} ${String(reason)}`))
}
