/**
 * Runs random journeys through the engine and through the interpreter. The first case in which they differ is made small, and
 * printed.
 *
 *     npm run campaign:journeys [-- --runs 10000 --seed 1]
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { journeyCaseArb } from './cases.js'
import { tryJourneys } from './trial.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
  },
})

const started = performance.now()
const { numRuns, counterexample, errorInstance } = await fc.check(
  fc.asyncProperty(journeyCaseArb, (one) => tryJourneys(one)),
  { numRuns: Number(values.runs), seed: Number(values.seed) },
)
const seconds = ((performance.now() - started) / 1000).toFixed(0)
console.log(`seed ${values.seed}: ${numRuns} runs in ${seconds} s, ${counterexample === null ? 'no' : 'a'} difference`)
if (counterexample !== null) {
  const [{ journeys, commands }] = counterexample
  for (const one of [...journeys.flat(), ...commands]) console.log(JSON.stringify(one))
  console.log(errorInstance instanceof Error ? errorInstance.message : errorInstance)
  process.exitCode = 1
}
