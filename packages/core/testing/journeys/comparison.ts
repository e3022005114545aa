import type { Line } from './words.js'

/** The engine and the interpreter do not tell the same. */
export class JourneysDiffer extends Error {
  override readonly name = 'JourneysDiffer'
}

/** Throws where they do not tell the same of some run, some tag, or who did not enter. */
export function compareLines(engine: readonly Line[], interpreter: readonly Line[], when: string): void {
  const [found, right] = [histories(engine), histories(interpreter)]
  for (const about of new Set([...right.keys(), ...found.keys()])) {
    const [its, ours] = [found.get(about) ?? [], right.get(about) ?? []]
    const place = ours.findIndex((line, index) => line !== its[index])
    const differing = place >= 0 ? place : its.length > ours.length ? ours.length : -1
    if (differing < 0) continue
    const both = `\n  engine:      ${its[differing]}\n  interpreter: ${ours[differing]}`
    throw new JourneysDiffer(`${when}, ${about}, line ${differing + 1}:${both}`)
  }
}

/** What was decided about each run, each tag, and all that did not enter. */
function histories(lines: readonly Line[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { decision, rule, run, ...more } of lines) {
    const about = decision === 'journey.goal' ? `goal of ${run}` : (run ?? `${rule} (${decision.slice(0, 7)})`)
    const line = JSON.stringify({ ...more, decision, rule }, Object.keys({ ...more, decision, rule }).sort())
    found.set(about, [...(found.get(about) ?? []), line])
  }
  return found
}
