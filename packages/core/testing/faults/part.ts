import type { PrivatePostgres } from '../../../../test/private-postgres.js'
import type { Finding } from './checks.js'

/** One row of the campaign: what is done to the engine, how often, and what must hold all the same. */
export interface Part {
  /** `T5` */
  readonly name: `T${number}`
  readonly does: string
  run(bench: Bench): Promise<Outcome>
}

/** What a part has to work with. */
export interface Bench {
  readonly seed: number
  /** So many of `whole` as the campaign's scale says, and one at least. */
  share(whole: number): number
  /** A PostgreSQL of the campaign's own, with `fsync`; the same for all parts. */
  postgres(): Promise<PrivatePostgres>
  /** Says how far it has come. */
  say(text: string): void
}

/** What happened, by its name, and what should not have. */
export interface Outcome {
  readonly did: Readonly<Record<string, number>>
  readonly findings: readonly SeededFinding[]
}

/** With the seed of the one case that shows it, where there is one: `--scale 0` tries it alone. */
export interface SeededFinding extends Finding {
  readonly seed?: number
}

/** All that happened in several. */
export function sumOf(all: readonly Outcome['did'][]): Outcome['did'] {
  const sum: Record<string, number> = {}
  for (const did of all) for (const [what, times] of Object.entries(did)) sum[what] = (sum[what] ?? 0) + times
  return sum
}

/** Tries one case after another, each with its own seed, and goes on after those that fail. */
export async function tryCases(
  bench: Bench,
  whole: number,
  run: (seed: number) => Promise<Outcome>,
): Promise<Outcome & { readonly cases: number }> {
  const cases = bench.share(whole)
  const outcomes: Outcome[] = []
  const mark = Math.ceil(cases / 10)
  for (let index = 0; index < cases; index++) {
    const seed = bench.seed + index
    outcomes.push(await seeded(seed, run))
    if ((index + 1) % mark === 0 && index + 1 < cases) bench.say(`${index + 1} of ${cases}`)
  }
  return { cases, did: sumOf(outcomes.map(({ did }) => did)), findings: outcomes.flatMap(({ findings }) => findings) }
}

async function seeded(seed: number, run: (seed: number) => Promise<Outcome>): Promise<Outcome> {
  try {
    const { did, findings } = await run(seed)
    return { did, findings: findings.map((one) => ({ ...one, seed })) }
  } catch (error) {
    const found = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { did: {}, findings: [{ promise: 'nothing is thrown that nobody expects', found, seed }] }
  }
}
