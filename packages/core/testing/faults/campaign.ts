/**
 * Puts the engine to every test of what fails, several parts beside each other, and writes into `docs/reliability.md` what came
 * of it. Ends with 1 where something was found that must not be.
 *
 *     npm run campaign [-- --only T8,T9 --seed 1 --scale 0.1 --beside 2 --dry]
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Failed, keepFailed, readFailed } from './corpus.js'
import { type Result, writePage } from './page.js'
import type { Part } from './part.js'
import type { PartOrders, PartReport } from './part-process.js'
import { ALONE, PARTS } from './parts.js'

const { values } = parseArgs({
  options: {
    /** Names of parts; all when left out. */
    only: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** How much of the whole: 0.1 is a tenth; 0 is one of each. */
    scale: { type: 'string', default: '1' },
    /** How many parts run at a time. */
    beside: { type: 'string', default: '2' },
    /** Writes nothing down. */
    dry: { type: 'boolean', default: false },
  },
})
const names = values.only?.split(',')
const chosen = PARTS.filter(({ name }) => names?.includes(name) ?? true)
if (chosen.length < (names?.length ?? 1))
  throw new Error(`--only ${values.only}: there are ${PARTS.map(({ name }) => name).join(', ')}.`)

const began = performance.now()
const results: Result[] = []
const again = readFailed().flatMap(({ part: name, seed, scale }) => {
  const part = chosen.find((one) => one.name === name)
  return part === undefined ? [] : [() => run(part, seed, scale)]
})
const anew = (parts: readonly Part[]) =>
  parts.map((part) => async () => {
    results.push(await run(part, Number(values.seed), Number(values.scale)))
    if (!values.dry) writePage(results)
  })
const besideOthers = chosen.filter(({ name }) => !ALONE.has(name))
await inLanes([...again, ...anew(besideOthers)], Number(values.beside))
await inLanes(anew(chosen.filter(({ name }) => ALONE.has(name))), 1)
console.log(`${chosen.length} parts in ${((performance.now() - began) / 60_000).toFixed(1)} min`)

/** Does one after the other, so many at a time. */
async function inLanes(work: readonly (() => Promise<unknown>)[], lanes: number): Promise<void> {
  const left = [...work]
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await next()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

async function run(part: Part, seed: number, scale: number): Promise<Result> {
  console.log(`${part.name} ${part.does} (seed ${seed}, scale ${scale})`)
  const { did, findings, minutes } = await inProcess({ part: part.name, seed, scale })
  const figures = Object.entries(did).map(([what, times]) => `${times} ${what}`)
  console.log(`${part.name} ${findings.length} violations in ${minutes.toFixed(1)} min: ${figures.join(', ')}`)
  const result: Result = { part, did, findings, seed, scale, minutes }
  if (findings.length > 0) tell(result)
  return result
}

function inProcess(orders: PartOrders): Promise<PartReport> {
  const started = performance.now()
  const child = fork(fileURLToPath(new URL('part-process.ts', import.meta.url)), {
    env: { ...process.env, LINLI_PART: JSON.stringify(orders) },
  })
  return new Promise((resolve) => {
    child.on('message', (report: PartReport) => resolve(report))
    child.on('exit', (code, signal) => {
      const findings = [{ promise: 'the part runs to its end', found: `its process ended with ${signal ?? code}` }]
      resolve({ did: {}, findings, minutes: (performance.now() - started) / 60_000 })
    })
  })
}

function tell({ part, findings, seed: ran, scale: whole }: Result): void {
  process.exitCode = 1
  for (const { promise, found, seed } of findings.slice(0, 20))
    console.log(`  ${part.name} ${promise}: ${found}${seed === undefined ? '' : ` (seed ${seed})`}`)
  const failed = findings.map(({ seed, promise }): Failed => {
    const how = seed === undefined ? { seed: ran, scale: whole } : { seed, scale: 0 }
    return { part: part.name, ...how, was: promise }
  })
  for (const [, { seed, scale }] of new Map(failed.slice(0, 3).map((one) => [`${one.seed} ${one.scale}`, one])))
    console.log(`  again: npm run campaign -- --only ${part.name} --seed ${seed} --scale ${scale} --dry`)
  if (!values.dry) keepFailed(failed)
}
