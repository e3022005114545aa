/**
 * Puts the engine to every test of what fails, one part after another, the cheap ones first, and writes into
 * `docs/reliability.md` what came of it. Ends with 1 where something was found that must not be.
 *
 *     npm run campaign [-- --only T8,T9 --seed 1 --scale 0.1 --dry]
 */
import { parseArgs } from 'node:util'
import { type PrivatePostgres, startPrivatePostgres } from '../../../../test/private-postgres.js'
import { type Failed, keepFailed, readFailed } from './corpus.js'
import { type Result, writePage } from './page.js'
import type { Part, SeededFinding } from './part.js'
import { PARTS } from './parts.js'

const { values } = parseArgs({
  options: {
    /** Names of parts; all when left out. */
    only: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** How much of the whole: 0.1 is a tenth; 0 is one of each. */
    scale: { type: 'string', default: '1' },
    /** Writes nothing down. */
    dry: { type: 'boolean', default: false },
  },
})
const names = values.only?.split(',')
const chosen = PARTS.filter(({ name }) => names?.includes(name) ?? true)
if (chosen.length < (names?.length ?? 1))
  throw new Error(`--only ${values.only}: there are ${PARTS.map(({ name }) => name).join(', ')}.`)

let server: Promise<PrivatePostgres> | undefined
const results: Result[] = []
try {
  for (const { part: name, seed, scale } of readFailed()) {
    const part = chosen.find((one) => one.name === name)
    if (part !== undefined) await run(part, seed, scale)
  }
  for (const part of chosen) {
    results.push(await run(part, Number(values.seed), Number(values.scale)))
    if (!values.dry) writePage(results)
  }
} finally {
  await (await server?.catch(() => undefined))?.stop()
}
// What a part has left open must not hold it up.
process.exit(process.exitCode ?? 0)

async function run(part: Part, seed: number, scale: number): Promise<Result> {
  const started = performance.now()
  const minutes = () => (performance.now() - started) / 60_000
  console.log(`${part.name} ${part.does} (seed ${seed}, scale ${scale})`)
  const { did, findings } = await part
    .run({
      seed,
      share: (whole) => Math.max(1, Math.round(whole * scale)),
      postgres: () => {
        server ??= startPrivatePostgres({ durable: true })
        return server
      },
      say: (text) => console.log(`  ${text}, ${minutes().toFixed(1)} min`),
    })
    .catch((error: unknown) => ({
      did: {},
      findings: [{ promise: 'the part runs to its end', found: String((error as Error).stack ?? error) }],
    }))
  const figures = Object.entries(did).map(([what, times]) => `${times} ${what}`)
  console.log(`${part.name} ${findings.length} violations in ${minutes().toFixed(1)} min: ${figures.join(', ')}`)
  if (findings.length > 0) tell(part, findings, { seed, scale })
  return { part, did, findings, seed, scale, minutes: minutes() }
}

function tell(part: Part, findings: readonly SeededFinding[], ran: Pick<Failed, 'seed' | 'scale'>): void {
  process.exitCode = 1
  for (const { promise, found, seed } of findings.slice(0, 20))
    console.log(`  ${promise}: ${found}${seed === undefined ? '' : ` (seed ${seed})`}`)
  const failed = findings.map(({ seed, promise }): Failed => {
    const again = seed === undefined ? ran : { seed, scale: 0 }
    return { part: part.name, ...again, was: promise }
  })
  for (const [again, { seed, scale }] of new Map(failed.slice(0, 3).map((one) => [`${one.seed} ${one.scale}`, one])))
    if (again) console.log(`  again: npm run campaign -- --only ${part.name} --seed ${seed} --scale ${scale} --dry`)
  if (!values.dry) keepFailed(failed)
}
