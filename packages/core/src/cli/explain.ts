import { loadPack, SUBJECT_KINDS } from '@linli/rules'
import { Command, Option } from 'commander'
import { explainFromLog } from '../insights/explain.js'
import type { Explained } from '../insights/explained.js'
import { formatExplanation, formatTrace } from '../insights/format.js'
import { instantOf } from '../queue/clocks.js'
import { explainFromFile, traceInFile } from '../simulation/explain-file.js'
import { openExisting } from './database.js'
import { print, printJson } from './output.js'

interface ExplainFlags {
  readonly rules: readonly string[]
  readonly events?: string
  readonly db?: string
  readonly user?: string
  readonly community?: string
  readonly leader?: string
  readonly rule?: string
  readonly decision?: string
  readonly at?: string
  readonly language: 'en' | 'zh'
  readonly json?: boolean
}

export function explainCommand(): Command {
  return new Command('explain')
    .description(
      'Say why a subject has a tag, a score, or is in a journey, and what would change it; or how a decision came about.',
    )
    .requiredOption('--rules <pack...>', 'folders or files of rules')
    .addOption(new Option('--events <file>', 'events, one JSON object a line (.ndjson or .ndjson.gz)').conflicts('db'))
    .addOption(new Option('--db <url>', 'the database of a running engine: postgres://… or a folder'))
    .option('--user <id>', 'whom to explain')
    .option('--community <id>', 'a community instead of a user')
    .option('--leader <id>', 'a leader instead of a user')
    .option('--rule <id>', 'a tag, a score or a journey')
    .option(
      '--decision <number>',
      'instead, how a decision came about: its line, from 1, in what simulate --decisions wrote',
    )
    .option('--at <time>', 'at this time (ISO 8601); with events: the last of them, with a database: now')
    .addOption(new Option('--language <language>').choices(['en', 'zh']).default('en'))
    .option('--json', 'print one JSON document')
    .action(run)
}

async function run(flags: ExplainFlags): Promise<void> {
  if (flags.decision !== undefined) return traceDecision(flags, flags.decision)
  const kind = SUBJECT_KINDS.find((one) => flags[one] !== undefined)
  const id = kind && flags[kind]
  if (kind === undefined || id === undefined)
    throw new Error('Say whom to explain: --user ID, --community ID or --leader ID.')
  if (flags.rule === undefined) throw new Error('Say what to explain: --rule ID, or --decision NUMBER.')
  const explained = await explain(flags, flags.rule, kind, id)
  if (flags.json) printJson(explained)
  else print(formatExplanation(explained, { language: flags.language }))
}

async function explain(
  flags: ExplainFlags,
  rule: string,
  kind: (typeof SUBJECT_KINDS)[number],
  id: string,
): Promise<Explained> {
  const { at } = flags
  const rules = await loadPack(...flags.rules)
  const asked = { rule, ...(at !== undefined && { at }) }
  if (flags.events !== undefined) return explainFromFile({ rules, events: flags.events, key: { kind, id }, ...asked })
  if (flags.db === undefined) throw new Error('Say where the events are: --events FILE or --db URL.')
  const store = await openExisting(flags.db)
  try {
    return await explainFromLog({ store, pack: rules, key: { kind, id }, rule, at: instantOf(at ?? Date.now()) })
  } finally {
    await store.close()
  }
}

async function traceDecision({ rules, events, language, json }: ExplainFlags, decision: string): Promise<void> {
  if (events === undefined) throw new Error('A decision is traced over an event file: --events FILE.')
  const trace = await traceInFile({ rules: await loadPack(...rules), events, number: Number(decision) })
  if (json) printJson(trace)
  else print(formatTrace(trace, { language }))
}
