import { START } from '../../../rules/testing/history.js'
import { midnightsFrom } from '../../../rules/testing/naive-window.js'
import type { Arrival } from './streams.js'

const ZONES = [undefined, 'UTC', 'America/New_York', 'Pacific/Apia']
/** Days after the first, at whose midnights days, weeks or months begin. */
const NEW_PERIODS = [0, 1, 2, 4, 5, 11, 31, 32, 59]

let midnights: readonly number[] | undefined

function midnightsOfAll(): readonly number[] {
  midnights ??= ZONES.flatMap((zone) => {
    const list = midnightsFrom(START, 62, zone)
    return NEW_PERIODS.flatMap((day) => list[day] ?? [])
  })
  return midnights
}

const UNIT_MS = { s: 1000, m: 60_000 } as const

/** Lengths of time that a pack writes, each also several times over: half-lives, absences, windows after absences. */
function lengthsIn(pack: unknown): readonly number[] {
  const text = JSON.stringify(pack)
  const written = [...text.matchAll(/"(?:PT)?(\d+)([smSM])"/g)].map(
    ([, amount, unit = 's']) => Number(amount) * UNIT_MS[unit.toLowerCase() as 's' | 'm'],
  )
  const plain = [...new Set([0, ...written])]
  const sums = text.includes('"no"') ? plain.flatMap((one) => plain.map((other) => one + other)) : plain
  const halvings = text.includes('"halfLife"')
    ? plain.flatMap((length) => [2, 3, 7, 8].map((times) => times * length))
    : []
  return [...new Set([...sums, ...halvings])]
}

/** Instants at which something may change by itself, the millisecond before and after: a few of them, by these numbers. */
export function probesOf(pack: unknown, stream: readonly Arrival[], picks: readonly number[]): readonly number[] {
  const lengths = lengthsIn(pack)
  const times = stream.map(({ at }) => at)
  const calendar = /"(during|since)"/.test(JSON.stringify(pack)) ? midnightsOfAll() : []
  const instants = [...times.flatMap((at) => lengths.map((length) => at + length)), ...calendar]
  const chosen = picks.map((pick) => {
    const at = instants[Math.floor(pick / 3) % instants.length] ?? START
    return at + (pick % 3) - 1
  })
  return [...new Set(chosen)].sort((a, b) => a - b)
}
