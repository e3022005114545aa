import type { CompiledJourney, EventRecord } from '@linli/rules'
import type { Draft } from './draft.js'
import { matches } from './matching.js'
import { replaceRun, type StepOf, withEventOf } from './runs.js'
import type { Digest, Run } from './subject.js'

const NOTHING: Digest = { count: 0, events: [] }

/** What a run that comes to the step begins with: the event that brought it here, where it is one of those. */
export function beginDigest(draft: Draft, run: Run, step: StepOf<'digest'>): Digest {
  const brought = run.event ?? run.entry
  const counts = brought !== undefined && withEventOf(run, draft, () => matches(draft, step.match, brought))
  return counts ? withOne(NOTHING, brought, step.keep) : NOTHING
}

/** Adds the event at hand to what the run collects, and says so. */
export function collect(
  draft: Draft,
  journey: CompiledJourney,
  run: Run,
  step: StepOf<'digest'>,
  event: EventRecord,
): void {
  const digest = withOne(run.digest ?? NOTHING, event, step.keep)
  draft.decide('journey.stepped', journey.id, { run: run.id, step: run.step, verb: 'digest', count: digest.count })
  replaceRun(draft, { ...run, digest })
}

function withOne({ count, events }: Digest, { properties }: EventRecord, keep: number): Digest {
  return { count: count + 1, events: [...events, properties].slice(-keep) }
}
