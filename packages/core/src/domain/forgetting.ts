import { canonicalJson, type EventRecord } from '@linli/rules'
import type { Input, StepVariables, Traces } from './decision.js'
import type { Draft } from './draft.js'
import { entryNames } from './entries.js'
import { exitRun } from './runs.js'
import type { Run } from './subject.js'

/**
 * Somebody was erased: runs that hold something an event of theirs said end, what journeys remember of it goes, and all else
 * is read again from the log, which does not know of them any more.
 */
export function forget(draft: Draft, traces: Extract<Input, { kind: 'forget' }>): void {
  const finder = new TraceFinder(traces)
  for (const run of draft.runs) if (finder.isIn(run)) exitRun(draft, run, 'person erased')
  draft.goals = draft.goals.filter(({ journey, key }) => !finder.isEntry(journey, key))
  draft.entries = Object.fromEntries(Object.entries(draft.entries).filter(([name]) => !finder.entries.has(name)))
  draft.effects.push({ kind: 'relearn' })
}

/** Finds what somebody's events have left with others. */
export class TraceFinder {
  readonly entries: ReadonlySet<string>
  private readonly messageIds: ReadonlySet<string>
  private readonly said: ReadonlySet<string>

  constructor({ messageIds, said, entries }: Traces) {
    this.messageIds = new Set(messageIds)
    this.said = new Set(said)
    this.entries = new Set(entries)
  }

  isIn({ journey, key, entry, event, digest }: Run): boolean {
    const isTheirs = (record: EventRecord | undefined) => record !== undefined && this.messageIds.has(record.messageId)
    return (
      isTheirs(entry) || isTheirs(event) || this.isEntry(journey, key) || this.isSaid({ ...(digest && { digest }) })
    )
  }

  /** Whether what a message was to be made of is what an event of theirs said. */
  isSaid({ entry, event, digest }: StepVariables): boolean {
    const all = [entry, event, ...(digest?.events ?? [])]
    return all.some((properties) => properties !== undefined && this.said.has(canonicalJson(properties)))
  }

  isEntry(journey: string, key: string | undefined): boolean {
    return key !== undefined && entryNames(journey, key).some((name) => this.entries.has(name))
  }

  isBy(messageId: string | undefined): boolean {
    return messageId !== undefined && this.messageIds.has(messageId)
  }
}
