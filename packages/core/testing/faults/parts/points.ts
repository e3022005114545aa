import { randomBytes } from 'node:crypto'
import type { Failpoint } from '../../../src/testing/faults/failpoints.js'
import type { Part } from '../part.js'
import { everyPair, sweepPoints } from '../sweep.js'

/** About what may be lost or done twice: what is taken in, claimed, cleared, called, written down. */
const CRITICAL: readonly Failpoint[] = [
  'addEvents:after',
  'saveSubjects:before',
  'addDecisions:after',
  'addDeliveries:before',
  'claimDeliveries:after',
  'lockDeliveries:after',
  'saveDeliveries:before',
  'saveDeliveries:after',
  'commit:before',
  'commit:after',
  'send:before',
  'send:after',
]

/** How often a process comes to each point before it dies there. */
const HITS = 3

export const POINTS: Part = {
  name: 'T4',
  does: 'a process dies at every point of its work, and at each of 12 right after each',
  run: async (bench) => {
    const { url: database } = await bench.postgres()
    const options = () => ({
      database,
      schema: `points_${randomBytes(6).toString('hex')}`,
      seed: bench.seed,
      speed: 20,
      faults: 0.2,
      patience: 90,
    })
    const single = await sweepPoints({ ...options(), hits: bench.share(HITS) })
    bench.say(`${single.points} points, ${single.kills} kills`)
    const order = everyPair(CRITICAL)
    const pairs = await sweepPoints({ ...options(), hits: 1, points: order.slice(0, bench.share(order.length)) })
    return {
      did: {
        points: single.points,
        'pairs of points': pairs.points - 1,
        kills: single.kills + pairs.kills,
        deliveries: single.deliveries + pairs.deliveries,
        sent: single.sent + pairs.sent,
      },
      findings: [...single.findings, ...pairs.findings],
    }
  },
}
