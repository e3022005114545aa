import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What has failed once, and is tried first from then on. */
export interface Failed {
  readonly part: string
  readonly seed: number
  readonly scale: number
  /** What was wrong. */
  readonly was: string
}

const FILE = fileURLToPath(new URL('corpus.json', import.meta.url))

export function readFailed(): readonly Failed[] {
  return JSON.parse(readFileSync(FILE, 'utf8')) as readonly Failed[]
}

/** Remembers a few; each is tried again every time. */
export function keepFailed(found: readonly Failed[]): void {
  const name = ({ part, seed, scale }: Failed) => `${part} ${seed} ${scale}`
  const known = readFailed()
  const fresh = found.filter((one) => !known.some((other) => name(other) === name(one))).slice(0, 3)
  writeFileSync(FILE, `${JSON.stringify([...known, ...fresh], null, 2)}\n`)
}
