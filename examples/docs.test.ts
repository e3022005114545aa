import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

const pages = [
  ...['README.md', 'README.zh-CN.md'],
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

describe('the README in Chinese', () => {
  const [english, chinese] = ['README.md', 'README.zh-CN.md'].map(read)
  const levels = (page = '') => page.match(/^#+ /gm)
  const codeBlocks = (page = '') => [...page.matchAll(/^```\w*$.*?^```$/gms)].map(([block]) => block)
  const targets = (page = '') => [...page.matchAll(/\]\(([^)#]+)/g)].map(([, target]) => target).sort()

  it('has the same sections, code and links', () => {
    expect(levels(chinese)).toEqual(levels(english))
    expect(codeBlocks(chinese)).toEqual(codeBlocks(english))
    const others = (target = '') => !target.startsWith('README')
    expect(targets(chinese).filter(others)).toEqual(targets(english).filter(others))
  })
})
