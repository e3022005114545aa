import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

const pages = [
  ...(existsSync(new URL('README.md', root)) ? ['README.md'] : []),
  ...readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

// A code block under `<!-- from: path -->` is a quotation of that file.
const quotation = /<!-- from: (\S+) -->\n```\w*\n(.*?)\n```/gs
const quotations = pages.flatMap((page) =>
  [...read(page).matchAll(quotation)].map(([, path = '', code = '']) => ({ page, path, code })),
)

describe('the documentation quotes programs as they are', () => {
  it.each(quotations)('$page quotes $path', ({ path, code }) => {
    expect(read(path)).toContain(code)
  })

  it('quotes something', () => {
    expect(quotations.length).toBeGreaterThan(0)
  })
})
