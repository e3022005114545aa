import { formatDuration, parseDuration } from '../duration.js'
import { FACT_TYPES } from '../facts/catalogue.js'
import { HALVINGS } from '../facts/decay.js'
import { longestReachMs, type WindowParams } from '../facts/window.js'
import { isObject } from '../json.js'
import type { Pack } from '../pack.js'
import { type Place, type Problems, placeText } from '../problems.js'
import { termsOf } from './roots.js'
import { type UseAt, usesOf } from './uses.js'

/** How far back something looks: so many milliseconds, or without a bound. */
type Reach = number | 'all time'

/** Finds what looks further back than events are kept. */
export function checkHistory(pack: Pack, problems: Problems): void {
  const [history] = pack.histories
  const keepMs = parseDuration(history?.definition.keep)
  if (history === undefined || keepMs === undefined) return
  const keep = formatDuration(keepMs)
  const report = (reach: Reach, place: Place, found: unknown, windowed = false) => {
    if (reach === 'all time') {
      const hint = windowed ? ` Give it a window, such as "within": "${history.definition.keep}".` : ''
      const message = `This looks at all time, but events are kept for ${keep}: it is right only over those.${hint}`
      problems.warning(place, 'window.allTime', message)
    } else if (reach > keepMs) {
      const message = `This looks back ${formatDuration(reach)}, but events are kept for ${keep}: the older ones are not there to be counted. Look back ${keep} at most, or keep events longer: "keep" at ${placeText(history.place)}.`
      problems.error(place, 'window.beyondHistory', message, { found })
    }
  }
  for (const use of usesOf(pack)) {
    const reach = reachOf(use)
    const windowed = paramNames(use.fact).has('within')
    if (reach !== undefined) report(reach, use.place, comparedTime(use) ?? use.params, windowed)
  }
  for (const { term, place } of termsOf(pack)) {
    if (!('event' in term)) continue
    const halfLifeMs = parseDuration(term.halfLife)
    if (halfLifeMs === undefined) report('all time', place, undefined)
    else report(HALVINGS * halfLifeMs, { ...place, pointer: `${place.pointer}/halfLife` }, term.halfLife)
  }
}

/** How far back a fact looks; undefined for one that is not over events. */
function reachOf(use: UseAt): Reach | undefined {
  const { fact, params } = use
  const names = paramNames(fact)
  if (!names.has('within')) {
    if (!names.has('event')) return undefined
    const boundMs = parseDuration(comparedTime(use))
    return boundMs === undefined || fact === 'sinceFirstEvent' ? 'all time' : boundMs
  }
  const windowMs = longestReachMs(params as WindowParams)
  return windowMs === undefined ? 'all time' : windowMs + stepsReach(params['steps'])
}

/** The length of time that a fact is compared with; undefined where it is not compared with one. */
function comparedTime({ fact, leaf }: UseAt): unknown {
  return fact.startsWith('since') ? leaf?.value : undefined
}

function paramNames(fact: string): ReadonlySet<string> {
  const { shape } = (FACT_TYPES.get(fact)?.params ?? {}) as { readonly shape?: object }
  return new Set(Object.keys(shape ?? {}))
}

/** How long before it was complete a sequence may have begun. */
function stepsReach(steps: unknown): number {
  if (!Array.isArray(steps)) return 0
  return steps.filter(isObject).reduce((sum, step) => sum + (parseDuration(step['within'] ?? step['for']) ?? 0), 0)
}
