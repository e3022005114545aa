import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../../../docs/write-a-journey.md', import.meta.url), 'utf8')

/** The first cells of a table of "Write a journey", found by the heading of its first column. */
export function documentedRows(heading: string): readonly string[] {
  const lines = page.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`))
  if (start < 0) throw new Error(`"Write a journey" has no table "${heading}".`)
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) => line.split(' | ')[0]?.replace(/^\| /, '') ?? '')
}
