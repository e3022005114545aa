import { checkPack, formatProblem } from '@linli/rules'
import { Command } from 'commander'
import { print, printJson, tell } from './output.js'

export function checkCommand(): Command {
  return new Command('check')
    .description('Validate and lint rule packs. Exit code 1 when something is wrong.')
    .argument('<pack...>', 'folders or files of rules')
    .option('--json', 'print one JSON document')
    .action(check)
}

async function check(packs: readonly string[], { json }: { json?: boolean }): Promise<void> {
  const { problems, files } = await checkPack(...packs)
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
