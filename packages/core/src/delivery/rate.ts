import type { Channel } from '../ports/channel.js'
import type { CallsLetThrough, ChannelCalls } from '../ports/store.js'
import { LONGEST_LEAD_MS } from './slot.js'

// How often a channel was called, in any window of its rate that one may look at. Pure: times are those of the store's clock.

export type Rate = NonNullable<Channel['rate']>

/** How many groups of calls that have begun are told apart at most. */
const MOST_GROUPS = 200

/** Of how many calls there is room for at an instant, now or a little later. */
export function roomAt({ calls }: ChannelCalls, { max, perMs }: Rate, at: number): number {
  return Math.max(0, max - count(calls.filter((one) => latest(one) > at - perMs)))
}

/** How many calls may begin within so long, more or less. */
export function roomWithin(kept: ChannelCalls, rate: Rate, now: number, ms: number): number {
  if (ms === 0) return roomAt(kept, rate, now)
  const until = now + ms
  const late = count(kept.calls.filter(({ from }) => from > until - rate.perMs))
  return Math.max(0, rate.max - late) + Math.floor((rate.max * ms) / rate.perMs)
}

/** Lets calls through, as many as there is room for. Until it is known when they began, each counts for as long as it may. */
export function letThrough(
  kept: ChannelCalls,
  rate: Rate,
  group: string,
  wanted: number,
  now: number,
): { readonly kept: ChannelCalls; readonly granted: number } {
  const current = upToDate(kept, rate, now)
  const granted = Math.min(wanted, roomAt(current, rate, now))
  if (granted === 0) return { kept: current, granted }
  return { kept: withCalls(current, rate, [...current.calls, { group, from: now, count: granted }]), granted }
}

/** Of a group that was let through, so many calls have begun, at this instant or before; the others never will. */
export function begun(
  kept: ChannelCalls,
  rate: Rate,
  group: string,
  calls: { readonly count: number; readonly by: number },
  now: number,
): ChannelCalls {
  const current = upToDate(kept, rate, now)
  const isThere = current.calls.some((one) => one.group === group)
  if (!isThere) return current
  const others = current.calls.filter((one) => one.group !== group)
  return withCalls(current, rate, calls.count === 0 ? others : [...others, { from: calls.by, count: calls.count }])
}

/** Without those that no window reaches any more. What lies ahead was written before the clock was put back. */
function upToDate(kept: ChannelCalls, { perMs }: Rate, now: number): ChannelCalls {
  const calls = kept.calls
    .filter((one) => latest(one) > now - perMs)
    .map((one) => ({ ...one, from: Math.min(one.from, now) }))
  return { ...kept, calls }
}

function withCalls(kept: ChannelCalls, rate: Rate, calls: readonly CallsLetThrough[]): ChannelCalls {
  const open = calls.filter(({ group }) => group !== undefined)
  const done = calls.filter(({ group }) => group === undefined).toSorted((one, other) => one.from - other.from)
  const all = [...open, ...(done.length > MOST_GROUPS ? inPairs(done) : done)]
  return { ...kept, calls: all, freeAt: freeAt(all, rate) }
}

/** Two by two, each pair as if all of it had begun when the later one did: fewer to keep, and never too few. */
function inPairs(calls: readonly CallsLetThrough[]): readonly CallsLetThrough[] {
  return calls.flatMap((one, index) => {
    if (index % 2 === 0) return index === calls.length - 1 ? [one] : []
    return [{ from: one.from, count: one.count + (calls[index - 1]?.count ?? 0) }]
  })
}

/** When there is room for another call, if those that were let through begin at once. */
function freeAt(calls: readonly CallsLetThrough[], { max, perMs }: Rate): number {
  let left = max
  for (const { from, count: calls_ } of calls.toSorted((one, other) => other.from - one.from)) {
    left -= calls_
    if (left <= 0) return from + perMs
  }
  return 0
}

/** The latest instant at which calls have begun. */
function latest({ group, from }: CallsLetThrough): number {
  return group === undefined ? from : from + LONGEST_LEAD_MS
}

function count(calls: readonly CallsLetThrough[]): number {
  return calls.reduce((sum, one) => sum + one.count, 0)
}
