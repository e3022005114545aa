import { Command, Option } from 'commander'
import type { Parked } from '../operations/parked.js'
import type { Resolution } from '../operations/resolution.js'
import { databaseOption, withOperations } from './database.js'
import { print, printJson } from './output.js'

interface ResolveFlags {
  readonly db: string
  readonly as: 'sent' | 'not-sent' | 'send-again'
  readonly by: string
  readonly reason: string
  readonly code?: string
  readonly expires?: string
}

const RESOLUTIONS: Readonly<Record<ResolveFlags['as'], Resolution>> = {
  sent: 'sent',
  'not-sent': 'not sent',
  'send-again': 'send again',
}

export function parkedCommand(): Command {
  return new Command('parked')
    .description('List messages and coupons of which nobody knows whether they were sent: why, and since when.')
    .addOption(databaseOption())
    .option('--json', 'print one JSON document')
    .action(async ({ db, json }: { readonly db: string; readonly json?: true }) => {
      const found = await withOperations(db, (operations) => operations.parked())
      if (json) printJson(found)
      else print(found.length === 0 ? 'Nothing is parked.' : found.map(parkedText).join('\n'))
    })
}

function parkedText(parked: Parked): string {
  const { deliveryKey, subject, journey, step, reason, calledAt, parkedAt } = parked
  const what = whatIs(parked)
  const called = calledAt === undefined ? '' : `, called ${calledAt.toISOString()}`
  const since = parkedAt === undefined ? '' : `, parked ${parkedAt.toISOString()}`
  return `${deliveryKey}  ${subject}  ${journey}/${step} ${what}${called}${since}: ${reason}`
}

function whatIs(parked: Parked): string {
  if (parked.kind === 'message') return `by ${parked.channel}`
  if (parked.kind !== 'coupon') return `${parked.kind} ${parked.what}`
  return `coupon of ${parked.offer}${parked.issuer === undefined ? '' : ` by ${parked.issuer}`}`
}

export function resolveCommand(): Command {
  return new Command('resolve')
    .description(
      'Say what became of a parked message or coupon, or have it sent again: its provider may then have it twice.',
    )
    .argument('<delivery>', 'its key, as `linli parked` lists it')
    .addOption(databaseOption())
    .addOption(
      new Option('--as <resolution>', 'what became of it, or what to do')
        .choices(Object.keys(RESOLUTIONS))
        .makeOptionMandatory(),
    )
    .requiredOption('--by <name>', 'who does it, for the record')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--code <code>', 'of a coupon that was sent: its code, as its issuer has it')
    .option('--expires <time>', 'until when that coupon is good; as its offer says when left out')
    .action(async (delivery: string, { db, as, expires, ...rest }: ResolveFlags) => {
      const note = { ...rest, ...(expires !== undefined && { expiresAt: expires }) }
      await withOperations(db, (operations) => operations.resolve(delivery, RESOLUTIONS[as], note))
      print(`${delivery} is resolved: ${RESOLUTIONS[as]}.`)
    })
}
