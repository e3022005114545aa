import { Command, Option } from 'commander'
import type { ParkedMessage, Resolution } from '../operations/parked.js'
import { databaseOption, withOperations } from './database.js'
import { print, printJson } from './output.js'

interface ResolveFlags {
  readonly db: string
  readonly as: 'sent' | 'not-sent' | 'send-again'
  readonly by: string
  readonly reason: string
}

const RESOLUTIONS: Readonly<Record<ResolveFlags['as'], Resolution>> = {
  sent: 'sent',
  'not-sent': 'not sent',
  'send-again': 'send again',
}

export function parkedCommand(): Command {
  return new Command('parked')
    .description('List messages of which nobody knows whether they were sent: why, and since when.')
    .addOption(databaseOption())
    .option('--json', 'print one JSON document')
    .action(async ({ db, json }: { readonly db: string; readonly json?: true }) => {
      const found = await withOperations(db, (operations) => operations.parked())
      if (json) printJson(found)
      else print(found.length === 0 ? 'Nothing is parked.' : found.map(parkedText).join('\n'))
    })
}

function parkedText({
  deliveryKey,
  subject,
  journey,
  step,
  channel,
  reason,
  calledAt,
  parkedAt,
}: ParkedMessage): string {
  const called = calledAt === undefined ? '' : `, called ${calledAt.toISOString()}`
  const since = parkedAt === undefined ? '' : `, parked ${parkedAt.toISOString()}`
  return `${deliveryKey}  ${subject}  ${journey}/${step} by ${channel}${called}${since}: ${reason}`
}

export function resolveCommand(): Command {
  return new Command('resolve')
    .description('Say what became of a parked message, or have it sent again: its provider may then have it twice.')
    .argument('<delivery>', 'its key, as `linli parked` lists it')
    .addOption(databaseOption())
    .addOption(
      new Option('--as <resolution>', 'what became of it, or what to do')
        .choices(Object.keys(RESOLUTIONS))
        .makeOptionMandatory(),
    )
    .requiredOption('--by <name>', 'who does it, for the record')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(async (delivery: string, { db, as, ...note }: ResolveFlags) => {
      await withOperations(db, (operations) => operations.resolve(delivery, RESOLUTIONS[as], note))
      print(`The message ${delivery} is resolved: ${RESOLUTIONS[as]}.`)
    })
}
