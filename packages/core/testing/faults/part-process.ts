import { type PrivatePostgres, startPrivatePostgres } from '../../../../test/private-postgres.js'
import type { Outcome } from './part.js'
import { PARTS } from './parts.js'

// One part of the campaign, in a process of its own and with a database server of its own, so that others may run beside it.

export interface PartOrders {
  readonly part: string
  readonly seed: number
  /** How much of the whole: 0.1 is a tenth; 0 is one of each. */
  readonly scale: number
}

/** What came of it, and how long it took. */
export interface PartReport extends Outcome {
  readonly minutes: number
}

process.on('disconnect', () => process.exit(1))
const { part: name, seed, scale } = JSON.parse(process.env['LINLI_PART'] ?? '') as PartOrders
const part = PARTS.find((one) => one.name === name)
if (part === undefined) throw new Error(`There is no part ${name}.`)

const started = performance.now()
const minutes = () => (performance.now() - started) / 60_000
let server: Promise<PrivatePostgres> | undefined
const outcome = await part
  .run({
    seed,
    share: (whole) => Math.max(1, Math.round(whole * scale)),
    postgres: () => {
      server ??= startPrivatePostgres({ durable: true })
      return server
    },
    say: (text) => console.log(`  ${name} ${text}, ${minutes().toFixed(1)} min`),
  })
  .catch((error: unknown): Outcome => {
    const found = String((error as Error).stack ?? error)
    return { did: {}, findings: [{ promise: 'the part runs to its end', found }] }
  })
const report: PartReport = { ...outcome, minutes: minutes() }
await (await server?.catch(() => undefined))?.stop()
// What it has left open must not hold it up.
process.send?.(report, () => process.exit(0))
