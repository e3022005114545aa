import { describe, expect, inject, it } from 'vitest'
import type { Bench, Part } from '../../../testing/faults/part.js'
import { ERASURE } from '../../../testing/faults/parts/erasure.js'
import { MALFORMED } from '../../../testing/faults/parts/malformed.js'
import { PROVIDERS } from '../../../testing/faults/parts/providers.js'
import { RACES } from '../../../testing/faults/parts/races.js'
import { IN_MEMORY, ON_PGLITE } from '../../../testing/faults/parts/simulations.js'

const postgresUrl = inject('postgresUrl')
const redisUrl = inject('redisUrl')
const LONG = 300_000

/** The same each time; `npm run campaign` tries others, and more of them. */
const SEED = 1

function benchOf(scale: number): Bench {
  return {
    seed: SEED,
    share: (whole) => Math.max(1, Math.round(whole * scale)),
    postgres: () =>
      Promise.resolve({
        url: postgresUrl ?? '',
        source: '',
        crash: () => Promise.reject(new Error('The server is not ours alone.')),
        stop: () => Promise.resolve(),
      }),
    say: () => undefined,
  }
}

/** A small share of each part of the campaign that needs no processes of its own, and what servers it needs. */
const SHARES: readonly (readonly [Part, number, 'PostgreSQL' | 'Redis as well' | undefined])[] = [
  [IN_MEMORY, 0.02, undefined],
  [ON_PGLITE, 0.004, undefined],
  [MALFORMED, 0.02, undefined],
  [RACES, 0.001, 'PostgreSQL'],
  [PROVIDERS, 0.04, 'Redis as well'],
  [ERASURE, 0.03, 'Redis as well'],
]

describe('a share of the campaign of faults', () => {
  it.each(SHARES)('$name: $does', { timeout: LONG }, async (part, scale, servers) => {
    if (servers !== undefined && postgresUrl === undefined) return
    if (servers === 'Redis as well' && redisUrl === undefined) return

    const { did, findings } = await part.run(benchOf(scale))

    expect(findings).toEqual([])
    expect(Object.values(did).some((times) => times > 0)).toBe(true)
  })
})
