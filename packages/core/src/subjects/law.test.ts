import fc from 'fast-check'
import type { Kysely } from 'kysely'
import { describe, expect, inject, it, vi } from 'vitest'
import { FACT_NAMES } from '../../../rules/testing/facts.js'
import { ReusedSchema, sharedPglite } from '../../testing/database.js'
import { engineCaseArb, peopleCaseArb, tryEngine } from '../../testing/law/engine-trial.js'
import { MUTANTS, MUTANTS_OF_PEOPLE, MUTANTS_OF_TOWNS } from '../../testing/law/mutants.js'
import { FACTS_OF_COMPARISON, FACTS_OF_JOURNEYS, ORACLE_FACTS } from '../../testing/law/oracle.js'
import { reducerCaseArb, tryReducer } from '../../testing/law/reducer-trial.js'
import { readCorpus, TRIALS } from '../../testing/law/trials.js'
import { openStore } from '../storage/open.js'
import { openPostgres } from '../storage/sql/postgres.js'

// Thousands of lives take a while on a busy machine.
vi.setConfig({ testTimeout: 600_000 })

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: the law on PostgreSQL; there is none.')

function onDatabase(db: Kysely<unknown>, concurrency: number) {
  const schema = new ReusedSchema(db)
  return fc.asyncProperty(engineCaseArb, async (one) => {
    const store = await openStore(db, { schema: await schema.emptied(), clock: 'engine', concurrency })
    await tryEngine(one, { store })
  })
}

describe('the law: what is kept equals a plain recomputation of the log', () => {
  it('holds where it was once broken', async () => {
    for (const { trial, case: one } of readCorpus()) await TRIALS[trial].run(one)
  })

  it('holds for one user, at random instants and at every flip', async () => {
    const { cases, run } = TRIALS.reducer
    await fc.assert(fc.asyncProperty(cases, run), { numRuns: 4600 })
  })

  it('holds for people, their communities and leaders, in the whole engine', async () => {
    const { cases, run } = TRIALS.engine
    await fc.assert(fc.asyncProperty(cases, run), { numRuns: 460 })
  })

  it('holds for visitors who turn out to be users', async () => {
    const { cases, run } = TRIALS.people
    await fc.assert(fc.asyncProperty(cases, run), { numRuns: 460 })
  })

  it('holds on PGlite', async () => {
    await fc.assert(onDatabase(await sharedPglite(), 1), { numRuns: 12 })
  })

  it.skipIf(postgresUrl === undefined)('holds on PostgreSQL', async () => {
    const db = openPostgres(postgresUrl ?? '', {})
    await fc.assert(onDatabase(db, 3), { numRuns: 30 })
    await db.destroy()
  })

  it('is asked about every fact', () => {
    const asked = new Set([...ORACLE_FACTS, ...FACTS_OF_JOURNEYS, ...FACTS_OF_COMPARISON])
    expect(FACT_NAMES.filter((name) => !asked.has(name))).toEqual([])
  })

  it.each(Object.entries(MUTANTS))('notices it when %s', async (_, mutant) => {
    const broken = fc.asyncProperty(reducerCaseArb, (one) => tryReducer(one, mutant))
    const { failed } = await fc.check(broken, { numRuns: 2000, seed: 1, endOnFailure: true })
    expect(failed).toBe(true)
  })

  it.each(Object.entries(MUTANTS_OF_TOWNS))('notices it when %s', async (_, mutant) => {
    const broken = fc.asyncProperty(engineCaseArb, (one) => tryEngine(one, { mutant }))
    const { failed } = await fc.check(broken, { numRuns: 500, seed: 1, endOnFailure: true })
    expect(failed).toBe(true)
  })

  it.each(Object.entries(MUTANTS_OF_PEOPLE))('notices it when %s', async (_, mutant) => {
    const broken = fc.asyncProperty(peopleCaseArb, (one) => tryEngine(one, { mutant }))
    const { failed } = await fc.check(broken, { numRuns: 500, seed: 1, endOnFailure: true })
    expect(failed).toBe(true)
  })
})
