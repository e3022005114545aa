import type { Pack } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import type { SubjectKey } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import { explainFromLog } from '../insights/explain.js'
import type { Explained } from '../insights/explained.js'
import { type Trace, traceFromLog } from '../insights/trace.js'
import { readEventFile } from './event-file.js'
import { runSimulation } from './simulate.js'

/** Explains from an event file: simulates it up to the instant and looks at the subject there. */
export async function explainFromFile(options: {
  readonly rules: Pack
  readonly events: string
  readonly key: SubjectKey
  readonly rule: string
  readonly at?: string
}): Promise<Explained> {
  const { rules, key, rule, at } = options
  const { world, store } = await runSimulation({
    rules,
    events: readEventFile(options.events),
    keep: true,
    ...(at !== undefined && { until: at }),
  })
  try {
    return await explainFromLog({ store, pack: rules, key, rule, at: world.clock.now() })
  } finally {
    await world.close()
  }
}

/** Traces a decision of a simulation over an event file, by its number in the order they were made, from 1. */
export async function traceInFile({
  rules,
  events,
  number,
}: {
  readonly rules: Pack
  readonly events: string
  readonly number: number
}): Promise<Trace> {
  const decisions: Decision[] = []
  const onDecision = (decision: Decision) => decisions.push(decision)
  const { world, store } = await runSimulation({ rules, events: readEventFile(events), keep: true, onDecision })
  try {
    const decision = decisions[number - 1]
    if (decision === undefined) {
      const message = `There is no decision ${number}: the simulation makes ${decisions.length}, counted from 1.`
      throw new EngineError('decision.unknown', message, { number, decisions: decisions.length })
    }
    return await traceFromLog({ store, packAt: async () => rules, decision })
  } finally {
    await world.close()
  }
}
