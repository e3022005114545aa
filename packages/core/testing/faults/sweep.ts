import { setTimeout as sleep } from 'node:timers/promises'
import type { Failpoint } from '../../src/testing/faults/failpoints.js'
import { Shop, type ShopOptions } from './shop.js'
import { lookAround, type Remains } from './storm.js'

export interface Sweep extends ShopOptions {
  /** A process dies at each point when it comes there for the first time, the second, … so many times. */
  readonly hits: number
  /** Where; everywhere that a process comes to when left out. */
  readonly points?: readonly Failpoint[]
  readonly patience: number
}

/** How many happenings a process takes in before it has come everywhere. */
const ENOUGH = 40
/** How long a process may take to come to its point, in milliseconds. */
const LONGEST_MS = 8_000

export interface Swept extends Remains {
  readonly points: number
  readonly kills: number
}

/** Kills a process at every point of its work, one after the other, over one and the same database. */
export async function sweepPoints(sweep: Sweep): Promise<Swept> {
  const shop = await Shop.open(sweep)
  try {
    const points = sweep.points ?? (await pointsOf(shop))
    let kills = 0
    for (let hit = 1; hit <= sweep.hits; hit++)
      for (const point of points) if (await dieAt(shop, point, hit)) kills += 1
    const last = shop.start(0)
    shop.calm()
    await last.done
    return { points: points.length, kills, ...(await lookAround(shop, sweep)) }
  } finally {
    await shop.close()
  }
}

/** Whether a process has come to its point, and died there. */
async function dieAt(shop: Shop, point: Failpoint, hit: number): Promise<boolean> {
  const { child, started, ended } = shop.start(1_000_000, { point, hit, does: 'crash' })
  await started
  await Promise.race([ended, sleep(LONGEST_MS)])
  const hasDied = child.signalCode === 'SIGKILL'
  child.kill('SIGKILL')
  await ended
  return hasDied
}

/** Where a process comes that takes some events in and does what they bring about. */
async function pointsOf(shop: Shop): Promise<readonly Failpoint[]> {
  const first = shop.start(ENOUGH)
  const reached = (await first.done) ?? []
  first.child.kill('SIGKILL')
  await first.ended
  return reached.toSorted()
}

/**
 * An order in which each point comes right after each, itself among them: whoever does what the one before has left undone dies
 * at the next. (A de Bruijn sequence: as many as there are pairs, and one.)
 */
export function everyPair<T>(points: readonly T[]): readonly T[] {
  const order: T[] = []
  for (const [index, point] of points.entries()) {
    order.push(point)
    for (const later of points.slice(index + 1)) order.push(point, later)
  }
  return [...order, ...points.slice(0, 1)]
}
