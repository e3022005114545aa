import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { Offers } from '../offers/offers.js'
import { systemClock } from '../queue/clocks.js'
import { Programs } from '../subjects/programs.js'
import { databaseOption, openExisting } from './database.js'
import { print, printJson } from './output.js'
import { table } from './table.js'

interface CodesFlags {
  readonly db: string
  readonly json?: true
}

/** `linli codes add` and `list`. */
export function codesCommand(): Command {
  return new Command('codes')
    .description("Load a shop's own coupon codes, and see how many are left. Codes themselves are never shown.")
    .addCommand(addCommand())
    .addCommand(listCommand())
}

function addCommand(): Command {
  return new Command('add')
    .description('Load codes into the pool of an offer with "codes": "given": one a line.')
    .argument('<offer>', 'the id of the offer')
    .argument('<file>', 'a text file; - for the standard input')
    .addOption(databaseOption())
    .option('--json', 'print one JSON document')
    .action(async (offer: string, file: string, { db, json }: CodesFlags) => {
      const result = await withOffers(db, (offers) => offers.addCodes(offer, linesOf(file)))
      if (json) return printJson(result)
      const { added, duplicates, left } = result
      print(`${added} codes added to ${offer}, ${duplicates} were there already; ${left} are left.`)
    })
}

function listCommand(): Command {
  return new Command('list')
    .description('Show for each offer how many coupons were issued, and how many codes are left.')
    .addOption(databaseOption())
    .option('--json', 'print one JSON document')
    .action(async ({ db, json }: CodesFlags) => {
      const pools = await withOffers(db, (offers) => offers.pools())
      if (json) return printJson(Object.fromEntries(pools))
      const rows = [...pools].map(
        ([offer, { issued, total, codes }]) => [offer, issued, total, codes?.loaded ?? '', codes?.left ?? ''] as const,
      )
      print(table('Pools', ['offer', 'issued', 'total', 'codes', 'left'], rows) || 'No coupons yet.')
    })
}

/** Lines that say something, without what stands around them; a file of Windows' has a mark at its beginning. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const lines = file === '-' ? createInterface({ input: process.stdin }) : (await open(file)).readLines()
  for await (const line of lines) {
    const code = line.replace('\uFEFF', '').trim()
    if (code !== '') yield code
  }
}

async function withOffers<T>(database: string, work: (offers: Offers) => Promise<T>): Promise<T> {
  const store = await openExisting(database)
  try {
    return await work(new Offers(store, new Programs(), systemClock))
  } finally {
    await store.close()
  }
}
