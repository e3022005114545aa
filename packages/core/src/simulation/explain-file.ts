import type { Pack } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import { type SubjectKey, subjectName } from '../domain/subject.js'
import { EngineError } from '../errors.js'
import { explainState, relatedOf } from '../insights/explain.js'
import type { Explained } from '../insights/explained.js'
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
  const decisions: Decision[] = []
  const { world, store, program } = await runSimulation({
    rules,
    events: readEventFile(options.events),
    exact: true,
    ...(at !== undefined && { until: at }),
    onDecision: (decision) => {
      if (decision.subject === subjectName(key)) decisions.push(decision)
    },
  })
  try {
    const state = await store.readSubject(key)
    if (state === undefined) {
      throw new EngineError('subject.unknown', `The events say nothing of ${subjectName(key)} until then.`, {
        subject: subjectName(key),
      })
    }
    const question = { key, rule, at: world.clock.now() }
    return explainState(question, state, program, decisions, await relatedOf(store, state))
  } finally {
    await world.close()
  }
}
