import { randomBytes } from 'node:crypto'
import type { Blow } from '../blows.js'
import { type Bench, type Outcome, type Part, type SeededFinding, sumOf } from '../part.js'
import { type Storm, weather } from '../storm.js'

// Storms over a shop of four processes on PostgreSQL, each with its own share of what is to happen in all.

type Blows = Readonly<Partial<Record<Blow, number>>>

/** How many blows one storm has: a longer one has too much to look at. */
const AT_ONCE = 125

export const KILLED: Part = {
  name: 'T5',
  does: 'processes are killed (SIGKILL) at random, four at work',
  // As many calls as come of 20,000 deliveries.
  run: (bench) =>
    storms(bench, { kills: 500 }, { hands: 2, calls: Math.ceil(bench.share(5_500) / roundsOf(bench.share(500))) }),
}

export const STOPPED: Part = {
  name: 'T6',
  does: 'processes stand still for longer than a lease, about a call, and go on',
  run: (bench) => storms(bench, { stops: 100 }, { processes: 5, hands: 3 }),
}

export const DATABASE: Part = {
  name: 'T7',
  does: 'the database crashes and comes back; sessions are ended',
  run: (bench) => storms(bench, { 'database crashes': 60, terminations: 500 }),
}

const REDIS_BLOWS: Blows = {
  'Redis kills': 40,
  FLUSHALLs: 20,
  'times Redis was full': 10,
  'absences of Redis': 3,
  'silences of Redis': 10,
  'queues that stood still': 2,
}

export const REDIS: Part = {
  name: 'T8',
  does: 'Redis is killed, emptied, full, a black hole, away for 30 s, or its queues stand still, while it shares the work of four processes',
  run: (bench) => storms(bench, REDIS_BLOWS, { withRedis: true }),
}

export const UNANSWERED: Part = {
  name: 'T9',
  does: 'answers are lost: of COMMIT, of queues, of the provider, which fails in seven ways or is a black hole',
  run: async (bench) => {
    const faults = Math.ceil(bench.share(PROVIDER_FAULTS) / roundsOf(bench.share(500) * 2 + bench.share(50)))
    const more = { faults: 0.3, withRedis: true, providerFaults: faults }
    const blows = { 'lost answers to COMMIT': 500, 'lost answers to queue adds': 500, 'black holes': 50 }
    return storms(bench, blows, more)
  },
}

/** With so much to do that each blow strikes something, and not so much that all are busy with what was before it. */
const REST_MS = 30

/** How often the provider fails at least while answers are lost, in one of its seven ways. */
const PROVIDER_FAULTS = 2_000

function roundsOf(blows: number): number {
  return Math.ceil(blows / AT_ONCE)
}

/** A storm in which nothing happens proves nothing. */
const HAPPENS = 'what is to happen happens'

async function storms(bench: Bench, whole: Blows, more: Partial<Storm> = {}): Promise<Outcome> {
  const { crash: crashDatabase, url: database } = await bench.postgres()
  const shares = Object.entries(whole).map(([blow, times]) => [blow as Blow, bench.share(times)] as const)
  const total = shares.reduce((sum, [, times]) => sum + times, 0)
  const rounds = roundsOf(total)
  const did: Outcome['did'][] = []
  const findings: SeededFinding[] = []
  for (let round = 0; round < rounds; round++) {
    const part = (times: number) => Math.floor(((round + 1) * times) / rounds) - Math.floor((round * times) / rounds)
    const {
      blows,
      deliveries,
      sent,
      faults,
      findings: found,
    } = await weather({
      database,
      schema: `storm_${randomBytes(6).toString('hex')}`,
      seed: bench.seed + round,
      speed: 20,
      faults: 0.2,
      processes: 4,
      events: 100_000,
      restMs: REST_MS,
      patience: 90,
      blows: Object.fromEntries(shares.map(([blow, times]) => [blow, part(times)])),
      crashDatabase,
      ...more,
    })
    did.push({ ...blows, deliveries, sent, 'faults of the provider': faults })
    findings.push(...found.map((one) => ({ ...one, seed: bench.seed + round })))
    bench.say(`${round + 1} of ${rounds} storms, ${findings.length} violations`)
  }
  const all = sumOf(did)
  const failed = all['faults of the provider'] ?? 0
  const wanted = rounds * (more.providerFaults ?? 0)
  if (failed < wanted) findings.push({ promise: HAPPENS, found: `${failed} of ${wanted} faults of the provider` })
  const missing = shares.filter(([blow, times]) => (all[blow] ?? 0) < times / 2)
  findings.push(
    ...missing.map(([blow, times]) => ({ promise: HAPPENS, found: `${all[blow] ?? 0} of ${times} ${blow}` })),
  )
  return { did: all, findings }
}
