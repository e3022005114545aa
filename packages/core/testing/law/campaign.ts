/**
 * Puts the law to the test for as long as you like. What breaks it is made small, and kept in `corpus.json`, which the
 * tests replay first.
 *
 *     npm run campaign:law [-- --runs 100000 --minutes 120 --processes 2 --seed 1 --trial reducer]
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { keepFound, TRIALS, type TrialName } from './trials.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '120' },
    processes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    trial: { type: 'string' },
  },
})

/** How many runs have one seed. */
const ROUND = 500
const names = Object.keys(TRIALS).filter((name) => name === (values.trial ?? name)) as TrialName[]
if (names.length === 0)
  throw new Error(`There is no trial "${values.trial}". There are: ${Object.keys(TRIALS).join(', ')}.`)
const processes = Number(values.processes)
const end = Date.now() + Number(values.minutes) * 60_000

if (processes > 1) {
  const share = String(Math.ceil(Number(values.runs) / processes))
  const workers = Array.from({ length: processes }, (_, index) => {
    const seed = String(Number(values.seed) + index * 10_000_019)
    const own = ['--runs', share, '--minutes', values.minutes, '--seed', seed]
    return fork(fileURLToPath(import.meta.url), [
      ...own,
      ...(values.trial === undefined ? [] : ['--trial', values.trial]),
    ])
  })
  const codes = await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))))
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1
} else {
  await campaign()
}

async function campaign(): Promise<void> {
  const started = performance.now()
  let [runs, broken] = [0, 0]
  for (let round = 0; runs < Number(values.runs) && Date.now() < end; round++) {
    const name = names[round % names.length] as TrialName
    const seed = Number(values.seed) + round
    const numRuns = Math.min(ROUND, Number(values.runs) - runs)
    const { cases, run } = TRIALS[name]
    const result = await fc.check(
      fc.asyncProperty(cases, (one) => run(one)),
      { numRuns, seed },
    )
    runs += result.numRuns
    if (result.counterexample !== null) {
      broken += 1
      const was = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance)
      keepFound({ trial: name, was, case: result.counterexample[0] })
      console.log(`BROKEN: ${name}, seed ${seed}, kept in corpus.json: ${was}`)
    }
    const speed = runs / ((performance.now() - started) / 1000)
    if (round % 10 === 9) console.log(`${runs} runs, ${speed.toFixed(0)} a second, ${broken} broken`)
  }
  const speed = runs / ((performance.now() - started) / 1000)
  console.log(
    `seed ${values.seed}: ${runs} runs of ${names.join(', ')}, ${speed.toFixed(0)} a second, ${broken} broken`,
  )
  process.exitCode = broken === 0 ? 0 : 1
}
