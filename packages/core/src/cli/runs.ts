import { Command } from 'commander'
import type { Counts } from '../operations/counts.js'
import type { RunPage, RunUnderWay } from '../operations/runs.js'
import { databaseOption, withOperations } from './database.js'
import { print, printJson } from './output.js'
import { table } from './table.js'

interface RunsFlags {
  readonly db: string
  readonly journey: string
  readonly step?: string
  readonly limit?: string
  readonly after?: string
  readonly json?: true
}

interface CountsFlags {
  readonly db: string
  readonly journey: string
  readonly since?: string
  readonly until?: string
  readonly json?: true
}

interface CancelFlags {
  readonly db: string
  readonly run: string
  readonly by?: string
  readonly reason?: string
}

export function runsCommand(): Command {
  return new Command('runs')
    .description('List the runs of a journey that are under way: whose they are, where they wait and until when.')
    .addOption(databaseOption())
    .requiredOption('--journey <id>', 'the journey')
    .option('--step <id>', 'only those that wait at this step')
    .option('--limit <number>', 'about how many; 100 when left out')
    .option('--after <subject>', 'go on after this subject, as the page before says')
    .option('--json', 'print one JSON document')
    .action(async ({ db, json, limit, ...filter }: RunsFlags) => {
      const page = await withOperations(db, (operations) =>
        operations.runs({ ...filter, ...(limit !== undefined && { limit: numberOf(limit) }) }),
      )
      if (json) printJson(page)
      else print(pageText(page))
    })
}

function numberOf(limit: string): number {
  const number = Number(limit)
  if (Number.isInteger(number) && number > 0) return number
  throw new Error(`--limit is a whole number from 1 on, not ${JSON.stringify(limit)}.`)
}

function pageText({ runs, next }: RunPage): string {
  if (runs.length === 0 && next === undefined) return 'No run is under way.'
  return [...runs.map(runText), ...(next === undefined ? [] : [`More: --after ${next}`])].join('\n')
}

function runText({ run, subject, key, step, enteredAt, since, until }: RunUnderWay): string {
  const which = key === undefined ? '' : ` (${key})`
  const waits = [since && ` since ${since.toISOString()}`, until && ` until ${until.toISOString()}`].join('')
  return `${run}  ${subject.join(':')}${which}  entered ${enteredAt.toISOString()}, at ${step}${waits}`
}

export function countsCommand(): Command {
  return new Command('counts')
    .description('Count what a journey has decided: entries, steps, ends, goals, messages.')
    .addOption(databaseOption())
    .requiredOption('--journey <id>', 'the journey')
    .option('--since <time>', 'decisions from this time on (ISO 8601)')
    .option('--until <time>', 'decisions before this time')
    .option('--json', 'print one JSON document')
    .action(async ({ db, json, ...filter }: CountsFlags) => {
      const counts = await withOperations(db, (operations) => operations.counts(filter))
      if (json) printJson(counts)
      else print(countsText(counts))
    })
}

function countsText({ entered, goals, exited, held, steps, messages, coupons, suggestions }: Counts): string {
  const { suppressed, ...sent } = messages
  const because = Object.entries(suppressed).map(([reason, count]) => [`suppressed: ${reason}`, count] as const)
  const sections = {
    runs: { entered, 'reached the goal': goals },
    held,
    steps,
    ended: exited,
    messages: { ...sent, ...Object.fromEntries(because) },
    coupons,
    suggestions: { made: suggestions },
  }
  return Object.entries(sections)
    .map(([title, counts]) => {
      const rows = Object.entries<number>(counts).filter(([, count]) => count > 0)
      return table(title, [''], rows)
    })
    .filter((text) => text !== '')
    .join('\n\n')
}

export function cancelCommand(): Command {
  return new Command('cancel')
    .description('End one run, and call off what it has planned.')
    .addOption(databaseOption())
    .requiredOption('--run <id>', 'the run, as `linli runs` lists it')
    .option('--by <name>', 'who does it, for the record')
    .option('--reason <text>', 'why, for the record')
    .action(async ({ db, run, ...note }: CancelFlags) => {
      await withOperations(db, (operations) => operations.cancel(run, note))
      print(`The run ${run} has ended.`)
    })
}
