import { checkPack, formatProblem } from '@linli/rules'
import { Command, InvalidArgumentError } from 'commander'
import { print, printJson, tell } from './output.js'

export function checkCommand(): Command {
  return new Command('check')
    .description('Validate and lint rule packs. Exit code 1 when something is wrong.')
    .argument('<pack...>', 'folders or files of rules')
    .option('--channels <names>', 'the channels that there are, with commas between them', namesOf)
    .option('--json', 'print one JSON document')
    .action(check)
}

function namesOf(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) {
    throw new InvalidArgumentError('Names of channels have commas between them, such as sms,wechat-miniprogram.')
  }
  return names
}

interface CheckFlags {
  readonly json?: boolean
  readonly channels?: readonly string[]
}

async function check(packs: readonly string[], { json, channels }: CheckFlags): Promise<void> {
  const { problems, files } = await checkPack(packs, { channels })
  const errors = problems.filter((problem) => problem.severity === 'error').length
  const warnings = problems.length - errors
  if (json) printJson({ ok: errors === 0, files, errors, warnings, problems })
  else {
    for (const problem of problems) print(formatProblem(problem))
    tell(
      `${files} files, ${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
    )
  }
  process.exitCode = errors === 0 ? 0 : 1
}
