import { instant, programOf, TestSubject } from '../subject.js'
import { firstShown, type Stretch, stretchesOf } from './clocks.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const REACH = 36 * HOUR

/** A change of a zone's clocks. */
export interface Change {
  readonly zone: string
  readonly at: number
  readonly stretches: readonly Stretch[]
}

/** All changes of all zones between two instants. */
export function changesBetween(from: string, to: string): readonly Change[] {
  return Intl.supportedValuesOf('timeZone').flatMap((zone) => {
    const stretches = stretchesOf(zone, instant(from), instant(to))
    return stretches.slice(1).map(({ from: at }) => ({ zone, at, stretches }))
  })
}

/** Local times of the day at and about a change: before it, within what is leapt over or comes twice, and after it. */
export function timesAbout({ at, stretches }: Change): readonly string[] {
  const index = stretches.findIndex(({ from }) => from === at)
  const shown = [stretches[index - 1], stretches[index]].map((stretch) => at + (stretch?.ahead ?? 0))
  const [first, last] = [Math.min(...shown), Math.max(...shown)]
  const middle = first + Math.floor((last - first) / 2 / MINUTE) * MINUTE
  const locals = [first - MINUTE, first, middle, last - MINUTE, last, last + MINUTE]
  return [...new Set(locals.map((local) => new Date(local).toISOString().slice(11, 16)))]
}

const programs = new Map<string, ReturnType<typeof programOf>>()

/** A journey that begins each day at a time, one that waits until then, and perhaps one that begins each quarter of an hour. */
function programFor(time: string, quarters: boolean) {
  const [hour, minute] = time.split(':').map(Number)
  const steps = (wait: unknown) => [{ id: 'wait', wait }]
  const journey = (id: string, entry: unknown, wait: unknown) => {
    return { kind: 'journey', id, entry, reentry: 'always', steps: steps(wait) }
  }
  const schedule = (text: string) => ({ on: 'schedule', schedule: text })
  const name = `${time} ${quarters}`
  const program =
    programs.get(name) ??
    programOf(
      journey('daily', schedule(`FREQ=DAILY;BYHOUR=${hour};BYMINUTE=${minute}`), '1m'),
      ...(quarters ? [journey('quarterly', schedule('FREQ=HOURLY;BYMINUTE=0,15,30,45'), '1m')] : []),
      journey('waiting', { on: 'event', event: 'go' }, { until: time }),
    )
  programs.set(name, program)
  return program
}

/** What happens to somebody in the zone about a change, and what should: by journey, in order. */
export function tryChange({ zone, at, stretches }: Change, time: string, quarters: boolean) {
  const [from, to] = [at - REACH, at + REACH]
  const one = new TestSubject(programFor(time, quarters))
  one.identify(from, { timeZone: zone })
  const goes = [at - 26 * HOUR, at - 1, at, at + 1, at + 30 * MINUTE, at + 90 * MINUTE]
  for (const go of goes) one.event('go', go)
  one.instant(to)
  const happened = (decision: string, rule: string) =>
    one.decisions.filter((made) => made.decision === decision && made.rule === rule).map((made) => made.at)
  const isSeen = (shown: number) => shown > from && shown <= to
  const daily = localsOf(stretches, from, to, minutesOf(time), DAY)
  const until = (go: number) => daily.find((shown) => shown >= go) ?? Number.NaN
  return {
    happened: {
      daily: happened('journey.entered', 'daily'),
      quarterly: happened('journey.entered', 'quarterly'),
      waiting: happened('journey.exited', 'waiting'),
    },
    expected: {
      daily: daily.filter(isSeen),
      quarterly: quarters ? localsOf(stretches, from, to, 0, 15 * MINUTE).filter(isSeen) : [],
      waiting: goes.map(until).sort((a, b) => a - b),
    },
  }
}

function minutesOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number)
  return hour * HOUR + minute * MINUTE
}

/** When local times that recur first show, each instant once. */
function localsOf(stretches: readonly Stretch[], from: number, to: number, offset: number, every: number) {
  const first = Math.floor((from - DAY) / DAY) * DAY + offset
  const shown = new Set<number>()
  for (let local = first; local < to + 2 * DAY; local += every) shown.add(firstShown(stretches, local))
  return [...shown].sort((a, b) => a - b)
}
