import type { EventRecord, SubjectView } from '../subject.js'
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
