import { setTimeout as sleep } from 'node:timers/promises'
import type { Failpoint } from '../../src/testing/faults/failpoints.js'
import { Shop, type ShopOptions } from './shop.js'
import { type Aftermath, lookAround } from './storm.js'

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

/** Kills a process at every point of its work, one after the other, over one and the same database. */
export async function sweepPoints(sweep: Sweep): Promise<Omit<Aftermath, 'stops'> & { readonly points: number }> {
  const shop = await Shop.open(sweep)
  try {
    const points = sweep.points ?? (await pointsOf(shop))
    let kills = 0
    for (let hit = 1; hit <= sweep.hits; hit++) {
      for (const point of points) {
        const { child, ended } = await shop.start(1_000_000, { point, hit, does: 'crash' })
        await Promise.race([ended, sleep(LONGEST_MS)])
        if (child.signalCode === 'SIGKILL') kills += 1
        else child.kill('SIGKILL')
        await ended
      }
    }
    const last = await shop.start(0)
    await last.done
    const none = { terminations: 0, lostCommits: 0, databaseCrashes: 0 }
    return { points: points.length, kills, ...none, ...(await lookAround(shop, sweep)) }
  } finally {
    await shop.close()
  }
}

/** Where a process comes that takes some events in and does what they bring about. */
async function pointsOf(shop: Shop): Promise<readonly Failpoint[]> {
  const first = await shop.start(ENOUGH)
  const reached = (await first.done) ?? []
  first.child.kill('SIGKILL')
  await first.ended
  return reached.toSorted()
}
