/**
 * Runs random journeys through the engine and through the interpreter. Each case in which they differ is made small, and printed
 * with the command that tries it again.
 *
 *     npm run campaign:journeys [-- --cases 10000 --seed 1]
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { journeyCaseArb } from './cases.js'
import { tryJourneys } from './trial.js'

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    /** Which case of the seed, as a failure prints it. */
    path: { type: 'string' },
  },
})

/** How many cases have one seed: each may fail once. */
const ROUND = 100

const started = performance.now()
const property = fc.asyncProperty(journeyCaseArb(), (one) => tryJourneys(one))
let [tried, differences] = [0, 0]
for (let seed = Number(values.seed); tried < Number(values.cases); seed++) {
  const numRuns = Math.min(ROUND, Number(values.cases) - tried)
  const path = values.path === undefined ? {} : { path: values.path }
  const { counterexample, counterexamplePath, errorInstance } = await fc.check(property, { numRuns, seed, ...path })
  tried += numRuns
  if (counterexample !== null) {
    differences += 1
    const [{ journeys, control, commands }] = counterexample
    for (const one of [...journeys.flat(), { control }, ...commands]) console.log(JSON.stringify(one))
    console.log(errorInstance instanceof Error ? errorInstance.message : errorInstance)
    console.log(`again: npm run campaign:journeys -- --cases 1 --seed ${seed} --path ${counterexamplePath}\n`)
  }
}
const seconds = ((performance.now() - started) / 1000).toFixed(0)
console.log(
  `seed ${values.seed}: ${tried} cases in ${seconds} s, ${differences === 0 ? 'no' : differences} differences`,
)
if (differences > 0) process.exitCode = 1
