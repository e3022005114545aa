import type { Pack } from '@linli/rules'
import type { SubjectKey } from '../domain/subject.js'
import { explainFromLog } from '../insights/explain.js'
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
