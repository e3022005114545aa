import { loadPack } from '@linli/rules'
import { Command } from 'commander'
import { whatIf } from '../simulation/what-if.js'
import { type EventSource, readOutcomes, type SourceFlags, withEvents, withSourceFlags } from './event-source.js'
import { Progress, print, printJson } from './output.js'
import { formatWhatIf } from './what-if-report.js'

interface DiffFlags extends SourceFlags {
  readonly old: readonly string[]
  readonly new: readonly string[]
  readonly until?: string
  readonly json?: boolean
}

export function diffCommand(): Command {
  const command = new Command('diff')
    .description('Compare two packs over the same events: who would have got what. Nothing is sent.')
    .requiredOption('--old <pack...>', 'folders or files of the rules as they are')
    .requiredOption('--new <pack...>', 'folders or files of the rules as they would be')
  return withSourceFlags(command)
    .option('--until <time>', 'go on until this time (ISO 8601); the last event when left out')
    .option('--json', 'print one JSON document')
    .action((flags: DiffFlags) => withEvents(flags, (source) => run(flags, source)))
}

async function run(flags: DiffFlags, { events, percent }: EventSource): Promise<void> {
  const [before, after] = [await loadPack(...flags.old), await loadPack(...flags.new)]
  const progress = new Progress()
  const started = Date.now()
  const outcomes = await readOutcomes(flags)
  const result = await whatIf({
    old: before,
    new: after,
    events,
    ...outcomes,
    ...(flags.until !== undefined && { until: flags.until }),
    onProgress: (count) => progress.show(() => `${percent()}${count} events`),
  })
  progress.end(`${result.new.events.total} events, twice, in ${((Date.now() - started) / 1000).toFixed(1)} s`)
  if (flags.json) printJson(result)
  else print(formatWhatIf(result))
}
