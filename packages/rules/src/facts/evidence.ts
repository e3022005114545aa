import type { Evidence, EvidenceEvent } from '../conditions/explanation.js'
import { formatDuration } from '../duration.js'
import type { EventRecord, SubjectView } from '../subject.js'
import type { FactUse } from './fact.js'
import type { EventFilter } from './feature.js'
import { isInside, type Window } from './window.js'

/** Of a subject's events those that match and count in the window at `view.at`, in order of time. */
export function countingEvents(
  view: SubjectView,
  events: readonly EventRecord[],
  filter: EventFilter,
  window: Window,
): readonly EventRecord[] {
  const span = window.spanFor(view)
  const { at: now } = view
  const names = new Set(filter.events)
  return events
    .filter(
      (event) => event.at <= now && names.has(event.event) && isInside(span, event.at, now) && filter.matches(event),
    )
    .sort((a, b) => a.at - b.at)
}

/** How many events an explanation shows of those that were counted. */
const MOST_SHOWN = 10

/** What stands behind a fact's value; without a log, no events. */
export function evidenceFor(
  {
    evidence,
    shows,
    figures,
    rounding,
    forgotten,
  }: Pick<FactUse, 'evidence' | 'shows' | 'figures' | 'rounding' | 'forgotten'>,
  view: SubjectView,
  log: readonly EventRecord[] | undefined,
): Evidence {
  const counted = log && evidence?.(view, log)
  const gridMs = rounding?.(view) ?? 0
  const forgottenUntil = forgotten?.(view)
  return {
    ...(counted && {
      events: counted
        .slice(-MOST_SHOWN)
        .reverse()
        .map((event) => shown(event, shows?.(event))),
      eventsTotal: counted.length,
    }),
    ...(figures && { figures: figures(view) }),
    ...(gridMs > 0 && { rounded: formatDuration(gridMs) }),
    ...(forgottenUntil !== undefined && { forgotten: new Date(forgottenUntil).toISOString() }),
  }
}

function shown({ messageId, event, at, userId }: EventRecord, value: unknown): EvidenceEvent {
  const when = new Date(at).toISOString()
  return { messageId, event, at: when, ...(value !== undefined && { value }), ...(userId !== undefined && { userId }) }
}
