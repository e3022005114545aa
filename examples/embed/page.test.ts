import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EVENT_LIMITS } from '../../packages/core/src/ingest/normalise.js'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const found = (text: string, code: RegExp) => [...text.matchAll(code)].map(([, name = '']) => name).sort()

const page = read('docs/embed-the-engine.md')
const rowsOfCodes = found(page, /^\| `([a-z]+\.\w+)` \|/gm)

describe('"Embed the engine"', () => {
  it('explains the codes there are, and no others', () => {
    const rejections = found(read('packages/core/src/ingest/event.ts'), /^ {2}\| '(event\.\w+)'/gm)
    const errors = found(read('packages/core/src/errors.ts'), /^ {2}\| '(\w+\.\w+)'/gm)
    const receipts = found(read('packages/core/src/receipts/receipt.ts'), /^ {2}\| '(receipt\.\w+)'/gm)
    expect(rowsOfCodes).toEqual([...rejections, ...errors, ...receipts].sort())
  })

  it('names the limits there are', () => {
    const { size, depth, keys, futureMs, name } = EVENT_LIMITS
    const limits = [size.toLocaleString('en'), `${depth} levels`, `${keys} keys`, `${futureMs / 60_000} minutes ahead`]
    for (const limit of [...limits, `1 to ${name} characters`]) expect(page).toContain(limit)
  })
})
