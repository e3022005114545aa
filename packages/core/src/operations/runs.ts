import type { SubjectKind } from '@linli/rules'
import { type Run, type SubjectKey, type SubjectState, subjectName } from '../domain/subject.js'
import type { Store } from '../ports/store.js'

export interface RunFilter {
  readonly journey: string
  /** Only runs that wait at this step. */
  readonly step?: string
  /** About how many, 100 when left out, at most 1,000: a page ends with a whole subject. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string
}

/** A run under way. */
export interface RunUnderWay {
  readonly run: string
  readonly subject: readonly [SubjectKind, string]
  readonly key?: string
  readonly step: string
  /** When its entry event happened. */
  readonly enteredAt: Date
  /** When it came to its step. */
  readonly since?: Date
  /** When its wait ends by itself, or is looked at again; left out while it waits for what becomes of a message or a coupon. */
  readonly until?: Date
}

export interface RunPage {
  readonly runs: readonly RunUnderWay[]
  /** Where the next page begins; left out when there is none. With a step, a page may be empty and have a next. */
  readonly next?: string
}

const LONGEST_PAGE = 1000
/** How many subjects are read at once, and how often for one page. */
const SUBJECTS = 500
const READS = 10

/** Runs of a journey that are under way, in the order of their subjects. */
export async function listRuns(store: Store, { journey, step, limit = 100, after }: RunFilter): Promise<RunPage> {
  const wanted = Math.min(Math.max(1, limit), LONGEST_PAGE)
  const runs: RunUnderWay[] = []
  let place = after === undefined ? undefined : keyOf(after)
  for (let read = 0; read < READS; read++) {
    const size = step === undefined ? Math.min(SUBJECTS, wanted) : SUBJECTS
    const found = await store.readSubjectsInRuns({ journey }, place, size)
    for (const { key, state } of found) {
      runs.push(...runsOf(key, state, journey, step))
      place = key
      if (runs.length >= wanted) return { runs, next: subjectName(key) }
    }
    if (found.length < size) return { runs }
  }
  return { runs, ...(place && { next: subjectName(place) }) }
}

function runsOf({ kind, id }: SubjectKey, state: SubjectState, journey: string, step: string | undefined) {
  const wanted = state.runs.filter(
    (run) => run.pending === undefined && run.journey === journey && (step === undefined || run.step === step),
  )
  return wanted.map(
    (run: Run): RunUnderWay => ({
      run: run.id,
      subject: [kind, id],
      ...(run.key !== undefined && { key: run.key }),
      step: run.step,
      enteredAt: new Date(run.enteredAt),
      ...(run.since !== undefined && { since: new Date(run.since) }),
      ...(run.until > 0 && { until: new Date(run.until) }),
    }),
  )
}

function keyOf(name: string): SubjectKey {
  const end = name.indexOf(':')
  return { kind: name.slice(0, end) as SubjectKind, id: name.slice(end + 1) }
}
