/**
 * Runs the same rules and events through the simulation and through two processes on PostgreSQL, and compares what they
 * decide line for line: random packs, then the whole year of real orders.
 *
 *     npm run campaign:simulation [-- --runs 1000 --seed 1 --year]
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { startPrivatePostgres } from '../../../../test/private-postgres.js'
import { openStore } from '../../src/storage/open.js'
import { GROCERY_EVENTS, groceryRecording } from './grocery.js'
import { randomCaseArb, recordingOf } from './random-packs.js'
import { differenceOf, liveLines, type Recording, simulatedLines } from './twice.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    year: { type: 'boolean', default: false },
  },
})

const server = await startPrivatePostgres()
const kinds = new Map<string, number>()
const started = performance.now()
let differences = 0
try {
  await randomPacks()
  if (values.year) await year()
} finally {
  await server.stop()
}
process.exitCode = differences === 0 ? 0 : 1

/** Undefined where both decide the same. */
async function compare(recording: Recording): Promise<string | undefined> {
  const schema = `campaign_${randomBytes(6).toString('hex')}`
  const simulated = await simulatedLines(recording)
  for (const line of simulated) {
    const { decision, reason, issuer } = JSON.parse(line) as Readonly<Record<string, string | undefined>>
    count(
      decision === 'coupon.refused' ? `${decision} (${issuer === undefined ? reason : 'issuer'})` : String(decision),
    )
  }
  return differenceOf(simulated, await liveLines(recording, await openStore(server.url, { schema, clock: 'engine' })))
}

async function randomPacks(): Promise<void> {
  const runs = Number(values.runs)
  let done = 0
  for (const one of fc.sample(randomCaseArb, { numRuns: runs, seed: Number(values.seed) })) {
    const difference = await compare(recordingOf(one))
    done += 1
    if (difference !== undefined) report(`pack ${done} of seed ${values.seed}`, difference)
    if (done % 100 === 0) console.log(`${done} packs, ${seconds()} s, ${differences} differences`)
  }
  console.log(`seed ${values.seed}: ${done} packs in ${seconds()} s, ${differences} differences`)
  console.log(
    [...kinds]
      .sort()
      .map(([kind, times]) => `${kind} ${times}`)
      .join(', '),
  )
}

async function year(): Promise<void> {
  if (!existsSync(GROCERY_EVENTS)) {
    console.warn(`SKIPPED: the year of real orders. There is no ${GROCERY_EVENTS}; say where it is by LINLI_DATA.`)
    return
  }
  const recording = await groceryRecording('2016-01-01', '2019-01-01')
  const difference = await compare(recording)
  if (difference !== undefined) report('the year', difference)
  console.log(`the year: ${recording.events.length} events, ${seconds()} s in all, ${differences} differences`)
}

function report(what: string, difference: string): void {
  differences += 1
  console.log(`DIFFERENT: ${what}: ${difference}`)
}

function count(kind: string): void {
  kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
}

function seconds(): string {
  return ((performance.now() - started) / 1000).toFixed(0)
}
