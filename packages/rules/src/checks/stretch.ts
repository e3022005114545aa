import { formatDuration, parseDuration } from '../duration.js'
import { longestReachMs, type WindowParams } from '../facts/window.js'

/** Which time a window looks at, so far as windows can be compared. */
export type Stretch =
  | { readonly kind: 'ago'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'since'; readonly text: string; readonly at: number | undefined }
  | { readonly kind: 'during'; readonly period: NonNullable<WindowParams['during']> }
  | { readonly kind: 'ever' }

export function stretchOf(params: WindowParams): Stretch {
  const { within, between, since, during } = params
  if (during !== undefined) return { kind: 'during', period: during }
  if (since !== undefined) return { kind: 'since', text: since, at: since.length > 10 ? Date.parse(since) : undefined }
  const fromMs = parseDuration(between?.[0] ?? within)
  return fromMs === undefined ? { kind: 'ever' } : { kind: 'ago', fromMs, toMs: parseDuration(between?.[1]) ?? 0 }
}

/** Local days and zones differ by less than this. */
const MARGIN_MS = 2 * 86_400_000

const SHORTER: Readonly<Record<string, readonly string[]>> = { today: ['thisWeek', 'thisMonth'] }

/** Whether all that counts in one counts in the other, at every instant. */
export function liesIn(inner: Stretch, outer: Stretch): boolean {
  if (outer.kind === 'ever') return true
  if (inner.kind === 'ago') return outer.kind === 'ago' && inner.fromMs <= outer.fromMs && inner.toMs >= outer.toMs
  if (inner.kind === 'during') {
    if (outer.kind === 'during') return inner.period === outer.period || isShorter(inner.period, outer.period)
    const longestMs = (longestReachMs({ during: inner.period }) ?? Infinity) + MARGIN_MS
    return outer.kind === 'ago' && outer.toMs === 0 && longestMs <= outer.fromMs
  }
  return inner.kind === 'since' && outer.kind === 'since' && beginsLater(inner, outer)
}

function isShorter(inner: string, outer: string): boolean {
  return SHORTER[inner]?.includes(outer) ?? false
}

type Since = Extract<Stretch, { kind: 'since' }>

/** Dates are compared with dates, which begin at midnight of the same zone, and instants with instants. */
function beginsLater(inner: Since, outer: Since): boolean {
  if (inner.at === undefined || outer.at === undefined) return inner.at === outer.at && inner.text >= outer.text
  return inner.at >= outer.at
}

/** Whether what happens counts at once: only then are counts exact, however many there are. */
export function countsAtOnce(stretch: Stretch): boolean {
  if (stretch.kind === 'ago') return stretch.toMs === 0
  return stretch.kind !== 'during' || stretch.period === 'today' || stretch.period.startsWith('this')
}

/** A stretch for people: ` in the last 7d`. */
export function stretchText(stretch: Stretch): string {
  switch (stretch.kind) {
    case 'ago':
      return stretch.toMs === 0
        ? ` in the last ${formatDuration(stretch.fromMs)}`
        : ` between ${formatDuration(stretch.fromMs)} and ${formatDuration(stretch.toMs)} ago`
    case 'since':
      return ` since ${stretch.text}`
    case 'during':
      return PERIOD_TEXT[stretch.period]
    default:
      return ''
  }
}

const PERIOD_TEXT: Readonly<Record<NonNullable<WindowParams['during']>, string>> = {
  today: ' today',
  yesterday: ' yesterday',
  thisWeek: ' this week',
  lastWeek: ' last week',
  thisMonth: ' this month',
  lastMonth: ' last month',
}
