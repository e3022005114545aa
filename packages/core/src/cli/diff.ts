import { loadPack } from '@linli/rules'
import { Command } from 'commander'
import { readEventFile } from '../simulation/event-file.js'
import { whatIf } from '../simulation/what-if.js'
import { Progress, print, printJson } from './output.js'
import { formatWhatIf } from './what-if-report.js'

interface DiffFlags {
  readonly old: readonly string[]
  readonly new: readonly string[]
  readonly events: string
  readonly until?: string
  readonly json?: boolean
}

export function diffCommand(): Command {
  return new Command('diff')
    .description('Compare two packs over the same events: who would have got what. Nothing is sent.')
    .requiredOption('--old <pack...>', 'folders or files of the rules as they are')
    .requiredOption('--new <pack...>', 'folders or files of the rules as they would be')
    .requiredOption('--events <file>', 'events, one JSON object a line (.ndjson or .ndjson.gz), in time order')
    .option('--until <time>', 'go on until this time (ISO 8601); the last event when left out')
    .option('--json', 'print one JSON document')
    .action(run)
}

async function run(flags: DiffFlags): Promise<void> {
  const [before, after] = [await loadPack(...flags.old), await loadPack(...flags.new)]
  const progress = new Progress()
  const started = Date.now()
  const result = await whatIf({
    old: before,
    new: after,
    events: () => readEventFile(flags.events),
    ...(flags.until !== undefined && { until: flags.until }),
    onProgress: (events) => progress.show(() => `${events} events`),
  })
  progress.end(`${result.new.events.total} events, twice, in ${((Date.now() - started) / 1000).toFixed(1)} s`)
  if (flags.json) printJson(result)
  else print(formatWhatIf(result))
}
