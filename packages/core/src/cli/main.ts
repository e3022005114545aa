import { Command, CommanderError } from 'commander'
import { budgetsCommand } from './budgets.js'
import { checkCommand } from './check.js'
import { codesCommand } from './codes.js'
import { diffCommand } from './diff.js'
import { explainCommand } from './explain.js'
import { graphCommand } from './graph.js'
import { haltsCommand, operateCommands } from './halts.js'
import { reportFailure } from './output.js'
import { parkedCommand, resolveCommand } from './parked.js'
import { peopleCommands } from './people.js'
import { receiveCommand } from './receive.js'
import { cancelCommand, countsCommand, runsCommand } from './runs.js'
import { schemaCommand } from './schema.js'
import { simulateCommand } from './simulate.js'
import { testCommand } from './test.js'
import { verifyCommand } from './verify.js'
import { workerCommand } from './worker.js'

/** The `linli` command. Results go to stdout, messages for people to stderr. */
export function program(): Command {
  const command = new Command('linli')
    .description('Rules and journeys for community group-buying: check them, try them on real history, ask why.')
    .addCommand(checkCommand())
    .addCommand(schemaCommand())
    .addCommand(simulateCommand())
    .addCommand(diffCommand())
    .addCommand(testCommand())
    .addCommand(explainCommand())
    .addCommand(graphCommand())
    .addCommand(haltsCommand())
    .addCommand(runsCommand())
    .addCommand(countsCommand())
    .addCommand(budgetsCommand())
    .addCommand(cancelCommand())
    .addCommand(parkedCommand())
    .addCommand(resolveCommand())
    .addCommand(receiveCommand())
    .addCommand(codesCommand())
    .addCommand(verifyCommand())
    .addCommand(workerCommand())
    .showHelpAfterError()
  for (const one of [...operateCommands(), ...peopleCommands()]) command.addCommand(one)
  return command
}

/** Runs the command line; gives the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const command = program()
  for (const part of [command, ...command.commands]) part.exitOverride()
  process.exitCode = undefined
  try {
    await command.parseAsync([...args], { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    reportFailure(error)
    return 1
  }
}

/** Runs the command line of this process. */
export async function main(): Promise<void> {
  process.exitCode = await run(process.argv.slice(2))
}
