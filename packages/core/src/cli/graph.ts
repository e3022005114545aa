import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { compileProgram, loadPack } from '@linli/rules'
import { Command, Option } from 'commander'
import type { Decision } from '../domain/decision.js'
import { EngineError } from '../errors.js'
import { journeyGraph } from '../insights/graph.js'
import { countRuns } from '../insights/run-counts.js'
import { print } from './output.js'

interface GraphFlags {
  readonly rules: readonly string[]
  readonly journey: string
  readonly decisions?: string
  readonly language: 'en' | 'zh'
}

export function graphCommand(): Command {
  return new Command('graph')
    .description('Print a journey as a Mermaid flowchart, with counts when given the decisions of a simulation.')
    .requiredOption('--rules <pack...>', 'folders or files of rules')
    .requiredOption('--journey <id>', 'the journey')
    .option('--decisions <file>', 'what `linli simulate --decisions` has written')
    .addOption(new Option('--language <language>').choices(['en', 'zh']).default('en'))
    .action(run)
}

async function run({ rules, journey: id, decisions, language }: GraphFlags): Promise<void> {
  const { journeys } = compileProgram(await loadPack(...rules))
  const journey = journeys.get(id)
  if (journey === undefined) {
    const known = [...journeys.keys()]
    const message = `The pack has no journey ${JSON.stringify(id)}. It has: ${known.join(', ') || 'none'}.`
    throw new EngineError('rule.unknown', message, { rule: id, known })
  }
  const counts = decisions === undefined ? undefined : await countRuns(readDecisions(decisions), id)
  print(journeyGraph(journey, { ...(counts && { counts }), language }))
}

/** The decisions of a file, one JSON object a line. */
async function* readDecisions(path: string): AsyncGenerator<Decision> {
  const input = createReadStream(path)
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() !== '') yield JSON.parse(line) as Decision
  }
}
