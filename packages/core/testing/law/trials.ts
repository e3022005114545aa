import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type fc from 'fast-check'
import { engineCaseArb, peopleCaseArb, tryEngine } from './engine-trial.js'
import { type Case, reducerCaseArb, tryReducer } from './reducer-trial.js'

/** One way of putting the law to the test. */
export interface Trial {
  readonly cases: fc.Arbitrary<Case>
  /** Throws where the law does not hold. */
  run(one: Case): Promise<void>
}

export const TRIALS = {
  engine: { cases: engineCaseArb, run: (one) => tryEngine(one) },
  people: { cases: peopleCaseArb, run: (one) => tryEngine(one) },
  reducer: { cases: reducerCaseArb, run: (one) => tryReducer(one) },
} satisfies Record<string, Trial>

export type TrialName = keyof typeof TRIALS

/** A case that once broke the law. */
export interface Found {
  readonly trial: TrialName
  /** What was wrong. */
  readonly was: string
  readonly case: Case
}

const CORPUS_FILE = fileURLToPath(new URL('corpus.json', import.meta.url))

export function readCorpus(): readonly Found[] {
  return JSON.parse(readFileSync(CORPUS_FILE, 'utf8')) as readonly Found[]
}

/** Remembers a case, which the tests then try first. */
export function keepFound(found: Found): void {
  writeFileSync(CORPUS_FILE, `${JSON.stringify([...readCorpus(), found], null, 2)}\n`)
}
