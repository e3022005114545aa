import { Command } from 'commander'
import type { Verification } from '../operations/verify.js'
import { databaseOption, withOperations } from './database.js'
import { print, printJson } from './output.js'

interface VerifyFlags {
  readonly db: string
  readonly recompute?: string
  readonly json?: true
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Look whether all that is stored is as it must be. Exits 1 where something is not.')
    .addOption(databaseOption())
    .option(
      '--recompute <number>',
      'of how many subjects of each kind tags and scores are worked out from the log; 50 when left out',
    )
    .option('--json', 'print one JSON document')
    .action(async ({ db, recompute, json }: VerifyFlags) => {
      const options = recompute === undefined ? {} : { recompute: Number(recompute) }
      const verification = await withOperations(db, (operations) => operations.verify(options))
      if (json) printJson(verification)
      else print(verificationText(verification))
      if (verification.violations.length > 0) process.exitCode = 1
    })
}

function verificationText({ checked: { subjects, deliveries, facts }, violations }: Verification): string {
  const looked = `${subjects} subjects, ${deliveries} deliveries, ${facts} tags and scores worked out from the log`
  if (violations.length === 0) return `All is as it must be: ${looked}.`
  const lines = violations.map(
    ({ invariant, subject, found }) => `  ${invariant} ${subject === undefined ? '' : `${subject}: `}${found}`,
  )
  return [`${violations.length} of these must not be (${looked}):`, ...lines].join('\n')
}
