import fc from 'fast-check'
import { keepFound, readCorpus, TRIALS, type TrialName } from '../../law/trials.js'
import { type Outcome, type Part, type SeededFinding, tryCases } from '../part.js'

/** How many lives have one seed. */
const ROUND = 50
const LIVES = 5_000

/** Those of one user are quick; the others go through the whole engine. */
const TURNS: readonly TrialName[] = ['reducer', 'reducer', 'engine', 'reducer', 'people']

/** The law (`testing/law`), as much of it as a campaign needs. */
export const MODEL: Part = {
  name: 'T3',
  does: 'tags and scores of random packs and lives, against a plain recomputation of the log',
  run: async (bench) => {
    for (const { trial, case: one } of readCorpus()) await TRIALS[trial].run(one)
    const { did, findings } = await tryCases(bench, LIVES / ROUND, tryRound)
    return { did, findings }
  },
}

async function tryRound(seed: number): Promise<Outcome> {
  const trial = TURNS[seed % TURNS.length] ?? 'reducer'
  const { cases, run } = TRIALS[trial]
  const property = fc.asyncProperty(cases, (one) => run(one))
  const { counterexample, errorInstance, numRuns } = await fc.check(property, { numRuns: ROUND, seed })
  const findings: SeededFinding[] = []
  if (counterexample !== null) {
    const was = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
    keepFound({ trial, was, case: counterexample[0] })
    findings.push({ promise: 'what is kept is what the log says', found: `${trial}: ${was}` })
  }
  return { did: { lives: numRuns }, findings }
}
