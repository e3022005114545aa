import { formatDuration, parseDuration } from '../duration.js'
import type { Pack } from '../pack.js'
import { type Problems, placeText } from '../problems.js'
import { MESSAGE_CLASSES } from '../schemas/common.js'
import { cellsOf } from './cells.js'
import { answerOf, type Comparison, comparisonOf, constantsOf } from './comparison.js'
import { stretchOf } from './stretch.js'
import { usesOf } from './uses.js'

/** How many messages a policy lets through. */
interface Cap {
  readonly id: string
  readonly where: string
  readonly max: number
  readonly withinMs: number
  readonly classes: readonly string[]
  /** Undefined: all channels. */
  readonly channels: readonly string[] | undefined
}

type Params = Readonly<Record<string, unknown>>

/** Finds comparisons of how many messages somebody got with numbers that a cap keeps out of reach. */
export function checkCapped(pack: Pack, problems: Problems): void {
  const caps = capsOf(pack)
  if (caps.length === 0) return
  for (const { fact, params, place, leaf } of usesOf(pack)) {
    const comparison = leaf && comparisonOf(leaf)
    if (fact !== 'messageCount' || comparison === undefined || params['of'] !== undefined) continue
    for (const cap of caps) {
      const most = mostWithin(cap, params)
      if (most === undefined || makesDifference(comparison, most)) continue
      const message = `This number is out of reach: the policy "${cap.id}" at ${cap.where} lets ${cap.max} such messages through in ${formatDuration(cap.withinMs)}.`
      problems.warning(place, 'threshold.capped', message, { found: comparison.constant })
    }
  }
}

function capsOf(pack: Pack): readonly Cap[] {
  return pack.policies.flatMap(({ definition, place }) => {
    if (!('cap' in definition) || definition.cap.journeys !== undefined) return []
    const { max, within, classes = MESSAGE_CLASSES, channels } = definition.cap
    const withinMs = parseDuration(within)
    return withinMs === undefined
      ? []
      : [{ id: definition.id, where: placeText(place), max, withinMs, classes, channels }]
  })
}

/** How many messages of a count's window a cap lets through; undefined where it does not bound them. */
function mostWithin({ max, withinMs, classes, channels }: Cap, params: Params): number | undefined {
  const stretch = stretchOf(params)
  if (stretch.kind !== 'ago') return undefined
  const asked = params['class'] === undefined ? MESSAGE_CLASSES : [params['class']]
  const isCapped = asked.every((one) => classes.some((capped) => capped === one))
  const isOnChannel = channels === undefined || channels.some((channel) => channel === params['channel'])
  return isCapped && isOnChannel ? max * Math.ceil((stretch.fromMs - stretch.toMs) / withinMs) : undefined
}

/** Whether a comparison answers differently for some of the numbers up to `most`, or the same for all there are. */
function makesDifference(comparison: Comparison, most: number): boolean {
  const counts = { kind: 'numbers', low: 0, high: Infinity, whole: true, absent: false } as const
  const cells = cellsOf(counts, [...constantsOf(comparison), most])
  const answers = (reached: boolean) =>
    new Set(cells.filter(({ low }) => low <= most === reached).map((cell) => answerOf(comparison, cell)))
  return answers(true).size > 1 || [...answers(false)].every((answer) => answers(true).has(answer))
}
