import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { loadPack } from '@linli/rules'
import { Command } from 'commander'
import type { Decision } from '../domain/decision.js'
import { simulate } from '../simulation/simulate.js'
import type { Simulation } from '../simulation/tally.js'
import { type EventSource, readOutcomes, type SourceFlags, withEvents, withSourceFlags } from './event-source.js'
import { Progress, print, printJson } from './output.js'
import { formatSimulation } from './simulation-report.js'

interface SimulateFlags extends SourceFlags {
  readonly rules: readonly string[]
  readonly until?: string
  readonly decisions?: string
  readonly json?: boolean
}

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .description('Run the real engine over recorded events under a virtual clock. Nothing is sent.')
    .requiredOption('--rules <pack...>', 'folders or files of rules')
  return withSourceFlags(command)
    .option('--until <time>', 'go on until this time (ISO 8601); the last event when left out')
    .option('--decisions <file>', 'write every decision, one JSON object a line')
    .option('--json', 'print the summary as one JSON document')
    .action((flags: SimulateFlags) => withEvents(flags, (source) => run(flags, source)))
}

async function run(flags: SimulateFlags, { events, percent }: EventSource): Promise<void> {
  const rules = await loadPack(...flags.rules)
  const outcomes = await readOutcomes(flags)
  const progress = new Progress()
  const started = Date.now()
  const log = flags.decisions === undefined ? undefined : await DecisionFile.create(flags.decisions)
  const result = await simulate({
    rules,
    events: throttled(events(), log),
    ...outcomes,
    ...(flags.until !== undefined && { until: flags.until }),
    ...(log && { onDecision: (decision) => log.write(decision) }),
    onProgress: (count) => progress.show(() => `${percent()}${count} events`),
  })
  await log?.close()
  const seconds = Math.max(0.001, (Date.now() - started) / 1000)
  progress.end(
    `${result.events.total} events in ${seconds.toFixed(1)} s (${Math.round(result.events.total / seconds)} a second)`,
  )
  show(result, flags)
}

function show(result: Simulation, { json }: SimulateFlags): void {
  if (json) printJson(result)
  else print(formatSimulation(result))
}

/** Lets the decision file catch up, so that it does not grow in memory. */
async function* throttled<T>(events: AsyncIterable<T>, log: DecisionFile | undefined): AsyncGenerator<T> {
  for await (const event of events) {
    await log?.catchUp()
    yield event
  }
}

class DecisionFile {
  private failure: Error | undefined

  private constructor(private readonly stream: WriteStream) {
    stream.on('error', (error) => {
      this.failure ??= error
    })
  }

  static async create(path: string): Promise<DecisionFile> {
    const stream = createWriteStream(path)
    await once(stream, 'open')
    return new DecisionFile(stream)
  }

  write({ at, subject, decision, rule, ...details }: Decision): void {
    const line = { at: new Date(at).toISOString(), subject, decision, rule, ...details }
    this.stream.write(`${JSON.stringify(line)}\n`)
  }

  async catchUp(): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    if (this.stream.writableNeedDrain) await once(this.stream, 'drain')
  }

  async close(): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    this.stream.end()
    await finished(this.stream)
  }
}
