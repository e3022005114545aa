import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Argument, Command } from 'commander'
import { Privacy } from '../privacy/privacy.js'
import { systemClock } from '../queue/clocks.js'
import { Programs } from '../subjects/programs.js'
import { databaseOption, openExisting } from './database.js'
import { print, printJson, tell } from './output.js'

interface PeopleFlags {
  readonly db: string
  readonly yes?: true
  readonly out?: string
  readonly json?: true
}

/** `linli erase`, `readmit` and `export`. */
export function peopleCommands(): readonly Command[] {
  return [eraseCommand(), readmitCommand(), exportCommand()]
}

function personCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addArgument(new Argument('<kind>', 'whom').choices(['user']))
    .argument('<id>', 'any id or name of theirs: u-1, anon:a-1, id:openid:o-1')
    .addOption(databaseOption())
}

function eraseCommand(): Command {
  return personCommand('erase', 'Erase a person: all that is kept of them goes, and nothing of them comes in again.')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .action(async (_kind: string, id: string, { db, yes, json }: PeopleFlags) => {
      if (yes !== true && !(await confirmed(id))) return tell('Nothing was erased.')
      const erasure = await withPrivacy(db, (privacy) => privacy.erase(id))
      if (json) return printJson(erasure)
      const { reference, names, events, decisions, deliveries, coupons } = erasure
      print(
        `Erased, from now on ${reference}: ${names} names, ${events} events, ${decisions} decisions, ${deliveries} deliveries, ${coupons} coupons.`,
      )
    })
}

/** Asks on a terminal; elsewhere nobody could answer. */
async function confirmed(id: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) throw new Error('This cannot be undone. Say --yes to go ahead.')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await lines.question(`Erase ${id}? This cannot be undone. Type the id to go ahead: `)) === id
  } finally {
    lines.close()
  }
}

function readmitCommand(): Command {
  return personCommand('readmit', 'Let a person in again who was erased.').action(
    async (_kind: string, id: string, { db }: PeopleFlags) => {
      const was = await withPrivacy(db, (privacy) => privacy.readmit(id))
      print(was ? 'Events of this person are taken in again.' : 'Nobody was erased by this name.')
    },
  )
}

function exportCommand(): Command {
  return personCommand('export', 'Write all that is kept of a person as one JSON document.')
    .option('--out <file>', 'where to; the standard output when left out')
    .action((_kind: string, id: string, { db, out }: PeopleFlags) =>
      withPrivacy(db, async (privacy) => {
        const pieces = privacy.export(id)
        if (out !== undefined) return pipeline(Readable.from(pieces), createWriteStream(out, { mode: 0o600 }))
        for await (const piece of pieces) process.stdout.write(piece)
      }),
    )
}

async function withPrivacy<T>(database: string, work: (privacy: Privacy) => Promise<T>): Promise<T> {
  const store = await openExisting(database)
  try {
    await store.migrate()
    return await work(new Privacy(store, new Programs(), systemClock))
  } finally {
    await store.close()
  }
}
