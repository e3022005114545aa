import type { EventRecord } from '../src/subject.js'
import { inWindow, lengthOf, type NaiveWindow } from './naive-window.js'

/** Sequences, told a second time: by looking for all chains. */

export interface NaiveFilter {
  event: string | string[]
}

export interface NaiveStep extends Partial<NaiveFilter> {
  within?: string
  unless?: NaiveFilter
  no?: NaiveFilter
  for?: string
}

export interface NaiveSequence extends NaiveWindow {
  steps: NaiveStep[]
  by?: string
}

export function countSequences(
  { steps, by, ...window }: NaiveSequence,
  events: readonly EventRecord[],
  at: number,
  zone: string | undefined,
  matches: (filter: NaiveFilter, event: EventRecord) => boolean,
): number {
  const keyOf = (event: EventRecord) => (by === undefined ? 'same' : event.properties[by])
  const taking = events.filter(
    (event) => event.at <= at && ['string', 'number', 'boolean'].includes(typeof keyOf(event)),
  )
  const is = (filter: NaiveFilter | undefined, event: EventRecord) => filter !== undefined && matches(filter, event)
  const reached = (event: EventRecord, index: number): boolean => {
    const step = steps[index] as NaiveStep
    if (!is(step as NaiveFilter, event)) return false
    if (index === 0) return true
    return taking.some((before) => {
      if (keyOf(before) !== keyOf(event) || before.at >= event.at) return false
      if (event.at >= before.at + lengthOf(step.within ?? '') || !reached(before, index - 1)) return false
      return !taking.some((x) => keyOf(x) === keyOf(event) && before.at < x.at && x.at < event.at && is(step.unless, x))
    })
  }
  const absence = steps.at(-1)
  if (absence?.no === undefined) {
    const ends = taking.filter((event) => reached(event, steps.length - 1))
    return ends.filter((event) => inWindow(window, event.at, at, zone)).length
  }
  const length = lengthOf(absence.for ?? '')
  const ends = taking.filter((event) => {
    const answered = taking.some(
      (x) => is(absence.no, x) && keyOf(x) === keyOf(event) && event.at <= x.at && x.at < event.at + length,
    )
    return !answered && reached(event, steps.length - 2)
  })
  return ends.filter((event) => inWindow(window, event.at + length, at, zone)).length
}
