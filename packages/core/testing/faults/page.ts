import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Outcome, Part } from './part.js'

// The table of `docs/reliability.md`: a row for each part, as it ran last.

const PAGE = fileURLToPath(new URL('../../../../docs/reliability.md', import.meta.url))
const [BEGIN, END] = ['<!-- campaign -->', '<!-- /campaign -->']
const HEAD = [
  '| | what was done | so much of it | seed | kills | deliveries | violations | minutes | commit |',
  '|---|---|---|---|---|---|---|---|---|',
]

export interface Result extends Outcome {
  readonly part: Part
  readonly seed: number
  readonly scale: number
  readonly minutes: number
}

/** Puts the rows of what has run in the place of those of before. */
export function writePage(results: readonly Result[]): void {
  const page = readFileSync(PAGE, 'utf8')
  const [from, to] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)]
  if (to < from) throw new Error(`${PAGE} has no place for a table: it should be between ${BEGIN} and ${END}.`)
  const rows = new Map(
    page
      .slice(from, to)
      .split('\n')
      .filter((line) => /^\| T\d/.test(line))
      .map((line) => [nameIn(line), line]),
  )
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  for (const result of results) rows.set(result.part.name, rowOf(result, commit))
  const table = [...HEAD, ...[...rows.values()].sort((a, b) => numberIn(a) - numberIn(b))]
  writeFileSync(PAGE, `${page.slice(0, from)}\n\n${table.join('\n')}\n\n${page.slice(to)}`)
}

function rowOf({ part, did, findings, seed, scale, minutes }: Result, commit: string): string {
  const { kills, deliveries, ...rest } = did
  const figures = Object.entries(rest).map(([what, times]) => `${counted(times)} ${what}`)
  const share = scale === 1 ? '' : ` (${Math.round(scale * 100)} % of the whole)`
  const cells = [
    part.name,
    part.does,
    `${figures.join(', ')}${share}`,
    String(seed),
    counted(kills),
    counted(deliveries),
    String(findings.length),
    minutes.toFixed(1),
    commit,
  ]
  return `| ${cells.join(' | ')} |`
}

function counted(times: number | undefined): string {
  return times === undefined ? '' : times.toLocaleString('en-US')
}

function nameIn(row: string): string {
  return /T\d+/.exec(row)?.[0] ?? ''
}

function numberIn(row: string): number {
  return Number(nameIn(row).slice(1))
}
