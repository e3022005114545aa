import { randomBytes } from 'node:crypto'
import type { Finding } from '../checks.js'
import { MUTANTS } from '../mutants.js'
import type { Part } from '../part.js'
import { type Storm, weather } from '../storm.js'

/** What happens while a bug is there. Timing is real, and some bugs show only now and then: those are tried again, in more. */
const STORMS: readonly Storm['blows'][] = [
  { kills: 4, stops: 2, 'lost answers to COMMIT': 4 },
  { kills: 10, stops: 2, terminations: 2, 'lost answers to COMMIT': 10 },
  { kills: 15, stops: 4, terminations: 2, 'lost answers to COMMIT': 10 },
]

export const SEEDED_BUGS: Part = {
  name: 'T18',
  does: 'one bug after another is planted, and must be noticed',
  run: async (bench) => {
    const { url: database } = await bench.postgres()
    const findings: Finding[] = []
    const bugs = MUTANTS.slice(0, bench.share(MUTANTS.length))
    let [kills, deliveries, tried] = [0, 0, 0]
    for (const { name, providerWindowMs } of bugs) {
      let noticed: readonly Finding[] = []
      for (const [turn, blows] of STORMS.entries()) {
        if (noticed.length > 0) break
        const storm = await weather({
          database,
          schema: `bug_${randomBytes(6).toString('hex')}`,
          seed: bench.seed + turn,
          speed: 20,
          faults: 0.3,
          processes: 3,
          events: 100_000,
          patience: 8,
          blows,
          hands: 2,
          crashDatabase: () => Promise.resolve(),
          mutant: name,
          ...(providerWindowMs !== undefined && { providerWindowMs }),
        })
        noticed = storm.findings
        kills += storm.blows.kills ?? 0
        deliveries += storm.deliveries
        tried += 1
      }
      const promises = [...new Set(noticed.map(({ promise }) => promise))]
      bench.say(`${promises.length > 0 ? 'noticed' : 'MISSED '} ${name}: ${promises.join('; ')}`)
      if (noticed.length === 0) findings.push({ promise: 'a seeded bug is noticed', found: name })
    }
    return {
      did: { bugs: bugs.length, noticed: bugs.length - findings.length, tries: tried, kills, deliveries },
      findings,
    }
  },
}
