import type { Halt, HaltTarget } from '@linli/rules'
import type { Fate } from '../domain/fates.js'
import { haltName } from '../domain/halts.js'
import type { Operation, StoreTransaction, Version } from '../ports/store.js'
import { goodSinceOf, kindsOf } from '../subjects/publishing.js'

/**
 * Pauses, stops or resumes something by a version of the rules that changes nothing else: from the commit on, every
 * transaction of every process works by it. Where it is so already, nothing happens. Gives what is halted then.
 */
export async function operate(tx: StoreTransaction, operation: Operation, clockNow: number): Promise<readonly Halt[]> {
  const newest = await tx.lockVersions()
  const before = await tx.readVersion(newest)
  if (before === undefined) return []
  const name = haltName(operation.target)
  const known = before.halts.find(({ target }) => haltName(target) === name)
  const state = STATES[operation.does]
  if (known?.state === state) return before.halts
  const number = newest + 1
  const at = Math.max((await tx.now()) ?? clockNow, before.publishedAt)
  const others = before.halts.filter((halt) => halt !== known)
  const halts = state === undefined ? others : [...others, haltOf(operation, state, at)]
  const fates = state === 'stopped' ? fatesOf(operation.target) : []
  const kinds = fates.length === 0 ? [] : kindsOf(fates, await tx.readJourneys(newest))
  const goodSince = goodSinceOf(number, before.goodSince, kinds)
  await tx.addVersion({ ...before, number, publishedAt: at, goodSince, fates, halts, operation })
  return halts
}

const STATES = { pause: 'paused', stop: 'stopped', resume: undefined } as const satisfies Record<
  Operation['does'],
  Version['halts'][number]['state'] | undefined
>

function haltOf({ target, by, reason }: Operation, state: Halt['state'], at: number): Halt {
  return { target, state, at, ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) }
}

/** Runs of what is stopped end. A channel has none. */
function fatesOf(target: HaltTarget): readonly Fate[] {
  if (target === 'everything') return [{ then: 'stop' }]
  return 'journey' in target ? [{ journey: target.journey, then: 'stop' }] : []
}
