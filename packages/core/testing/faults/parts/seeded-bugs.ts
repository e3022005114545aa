import { randomBytes } from 'node:crypto'
import { MUTANTS, type Mutant } from '../mutants.js'
import type { Bench, Part } from '../part.js'
import { type Aftermath, type Storm, weather } from '../storm.js'

/** What happens while a bug is there. Timing is real, and some bugs show only now and then: those are tried again, in more. */
const STORMS: readonly Storm['blows'][] = [
  { kills: 4, stops: 2, 'lost answers to COMMIT': 4 },
  { kills: 10, stops: 2, terminations: 2, 'lost answers to COMMIT': 10 },
  { kills: 15, stops: 4, terminations: 2, 'lost answers to COMMIT': 10 },
]

/** Without a bug nothing stands still for so long: see the first storm, which has none. */
const PATIENCE = 30

export const SEEDED_BUGS: Part = {
  name: 'T18',
  does: 'one bug after another is planted, and must be noticed; without one, nothing is',
  run: async (bench) => {
    const bugs = MUTANTS.slice(0, bench.share(MUTANTS.length))
    const none = await storm(bench, 1)
    const findings = none.findings.map(({ promise, found }) => ({ promise, found: `without a bug: ${found}` }))
    const storms = [none]
    let noticed = 0
    for (const bug of bugs) {
      let promises: readonly string[] = []
      for (let turn = 0; turn < STORMS.length && promises.length === 0; turn++) {
        const one = await storm(bench, turn, bug)
        storms.push(one)
        promises = [...new Set(one.findings.map(({ promise }) => promise))]
      }
      bench.say(`${promises.length > 0 ? 'noticed' : 'MISSED '} ${bug.name}: ${promises.join('; ')}`)
      if (promises.length > 0) noticed += 1
      else findings.push({ promise: 'a seeded bug is noticed', found: bug.name })
    }
    const sum = (of: (one: Aftermath) => number) => storms.reduce((all, one) => all + of(one), 0)
    const kills = sum(({ blows }) => blows.kills ?? 0)
    const deliveries = sum((one) => one.deliveries)
    return { did: { bugs: bugs.length, noticed, tries: storms.length - 1, kills, deliveries }, findings }
  },
}

async function storm(bench: Bench, turn: number, bug?: Mutant): Promise<Aftermath> {
  const { url: database } = await bench.postgres()
  return weather({
    database,
    schema: `bug_${randomBytes(6).toString('hex')}`,
    seed: bench.seed + turn,
    speed: 20,
    faults: 0.3,
    processes: 3,
    events: 100_000,
    patience: PATIENCE,
    blows: STORMS[turn] ?? {},
    hands: 2,
    crashDatabase: () => Promise.resolve(),
    ...(bug && { mutant: bug.name }),
    ...(bug?.providerWindowMs !== undefined && { providerWindowMs: bug.providerWindowMs }),
  })
}
