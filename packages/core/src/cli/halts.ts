import type { HaltTarget } from '@linli/rules'
import { Command, Option } from 'commander'
import { haltName } from '../domain/halts.js'
import type { HaltCall, Halted, Halts } from '../operations/operations.js'
import { databaseOption, withOperations } from './database.js'
import { print, printJson } from './output.js'

interface HaltFlags {
  readonly db: string
  readonly journey?: string
  readonly channel?: string
  readonly everything?: true
  readonly by?: string
  readonly reason?: string
  readonly json?: true
}

/** `linli pause`, `stop` and `resume`. */
export function operateCommands(): readonly Command[] {
  return [
    operateCommand('pause', 'Pause a journey, a channel or everything: nothing of it leaves until it is resumed.'),
    operateCommand('stop', 'Stop a journey, a channel or everything: runs end, and what was planned is called off.'),
    operateCommand('resume', 'Take back what pause or stop did.'),
  ]
}

function operateCommand(does: HaltCall['does'], description: string): Command {
  return new Command(does)
    .description(description)
    .addOption(databaseOption())
    .addOption(new Option('--journey <id>', 'a journey').conflicts(['channel', 'everything']))
    .addOption(new Option('--channel <name>', 'a channel').conflicts(['everything']))
    .option('--everything', 'all journeys and channels')
    .option('--by <name>', 'who does it, for the record')
    .option('--reason <text>', 'why, for the record')
    .option('--json', 'print one JSON document')
    .action(async ({ db, by, reason, json, ...flags }: HaltFlags) => {
      const target = targetOf(flags)
      const note = { ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) }
      const halted = await withOperations(db, (operations) => operations.operate(does, target, note))
      if (json) printJson(halted)
      else print(inForceText(halted))
    })
}

function targetOf({ journey, channel, everything }: Pick<HaltFlags, 'journey' | 'channel' | 'everything'>): HaltTarget {
  if (journey !== undefined) return { journey }
  if (channel !== undefined) return { channel }
  if (everything) return 'everything'
  throw new Error('Say what: --journey ID, --channel NAME or --everything.')
}

export function haltsCommand(): Command {
  return new Command('halts')
    .description('Show what is paused or stopped, and who has paused, stopped and resumed what, when and why.')
    .addOption(databaseOption())
    .option('--json', 'print one JSON document')
    .action(async ({ db, json }: Pick<HaltFlags, 'db' | 'json'>) => {
      const halts = await withOperations(db, (operations) => operations.halts())
      if (json) printJson(halts)
      else print(haltsText(halts))
    })
}

function haltsText({ inForce, calls }: Halts): string {
  const lines = calls.map(({ does, target, ...note }) => `  ${does} ${haltName(target)}${noteText(note)}`)
  return [inForceText(inForce), ...(lines.length === 0 ? [] : ['What was done, the latest first:', ...lines])].join(
    '\n',
  )
}

function inForceText(halted: readonly Halted[]): string {
  if (halted.length === 0) return 'Nothing is paused or stopped.'
  return halted.map(({ state, target, ...note }) => `${state} ${haltName(target)}${noteText(note)}`).join('\n')
}

function noteText({ at, by, reason }: Pick<Halted, 'at' | 'by' | 'reason'>): string {
  const who = by === undefined ? '' : ` by ${by}`
  return `, ${at.toISOString()}${who}${reason === undefined ? '' : `: ${reason}`}`
}
