/**
 * Lets processes die, stop and lose their connections in the middle of everything, and looks at what is left.
 *
 *     npm run campaign:faults [-- --seed 1 --kills 60 --storms 3 --mutants]
 */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { startPrivatePostgres } from '../../../../test/private-postgres.js'
import type { Finding } from './checks.js'
import { MUTANTS, type Mutant } from './mutants.js'
import { type Storm, weather } from './storm.js'
import { sweepPoints } from './sweep.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    storms: { type: 'string', default: '1' },
    kills: { type: 'string', default: '30' },
    stops: { type: 'string' },
    hits: { type: 'string', default: '0' },
    mutants: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})

const server = await startPrivatePostgres({ durable: true })
let failures = 0
try {
  for (let number = 0; number < Number(values.storms); number++) await onePass(Number(values.seed) + number)
  if (Number(values.hits) > 0) await sweepPass(Number(values.seed))
  if (values.mutants)
    for (const mutant of MUTANTS)
      if (values.only === undefined || mutant.name.includes(values.only)) await mutantPass(mutant)
} finally {
  await server.stop()
}
process.exitCode = failures === 0 ? 0 : 1

function stormOf(seed: number, kills: number, mutant?: Mutant): Storm {
  const schema = `faults_${randomBytes(6).toString('hex')}`
  const share = {
    stops: Number(values.stops ?? Math.ceil(kills / 15)),
    terminations: Math.ceil(kills / 6),
    lostCommits: Math.ceil(kills / 6),
  }
  return {
    database: server.url,
    schema,
    seed,
    speed: 20,
    faults: 0.3,
    processes: mutant === undefined ? 4 : 2,
    events: 100_000,
    kills,
    ...share,
    databaseCrashes: mutant === undefined ? Math.ceil(kills / 12) : 0,
    crashDatabase: () => server.crash(),
    patience: 60,
    ...(mutant !== undefined && { mutant: mutant.name }),
    ...(mutant?.providerWindowMs !== undefined && { providerWindowMs: mutant.providerWindowMs }),
  }
}

async function onePass(seed: number): Promise<void> {
  const started = performance.now()
  const { findings, ...counts } = await weather(stormOf(seed, Number(values.kills)))
  tell(`seed ${seed}`, started, findings, counts)
}

function tell(what: string, started: number, findings: readonly Finding[], counts: object): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(`${what}: ${findings.length} violations in ${seconds} s, ${JSON.stringify(counts)}`)
  for (const { promise, found } of findings.slice(0, 20)) console.log(`  ${promise}: ${found}`)
  if (findings.length > 0) failures += 1
}

async function sweepPass(seed: number): Promise<void> {
  const started = performance.now()
  const options = {
    database: server.url,
    schema: `faults_${randomBytes(6).toString('hex')}`,
    seed,
    speed: 20,
    faults: 0.2,
  }
  const { findings, ...counts } = await sweepPoints({ ...options, hits: Number(values.hits), patience: 60 })
  tell(`every point, seed ${seed}`, started, findings, counts)
}

async function mutantPass(mutant: Mutant): Promise<void> {
  const { name } = mutant
  const { findings } = await weather({
    ...stormOf(Number(values.seed), 10, mutant),
    stops: 2,
    lostCommits: 10,
    patience: 8,
  })
  const promises = [...new Set(findings.map(({ promise }) => promise))]
  console.log(`${findings.length > 0 ? 'noticed' : 'MISSED '} ${name}: ${promises.join('; ')}`)
  if (values.only !== undefined)
    for (const { promise, found } of findings.slice(0, 20)) console.log(`  ${promise}: ${found}`)
  if (findings.length === 0) failures += 1
}
