import { isDeepStrictEqual } from 'node:util'
import { changesBetween, timesAbout, tryChange } from '../../zones/trial.js'
import type { Finding } from '../checks.js'
import { type Part, sumOf } from '../part.js'
import { trySkew, tryWaits } from './waits.js'

export const TIME: Part = {
  name: 'T13',
  does: 'schedules and waits until a local time, about every change of the clocks of every zone, 2025 to 2035; waits of 1 s to 400 days, a leap day, workers an hour fast and slow',
  run: async (bench) => {
    const all = changesBetween('2024-12-01T00:00:00Z', '2036-02-01T00:00:00Z')
    const many = bench.share(all.length)
    const changes = Array.from({ length: many }, (_, index) => all[Math.floor((index * all.length) / many)])
    const findings: Finding[] = []
    let instants = 0
    for (const change of changes) {
      if (change === undefined) continue
      for (const [index, time] of timesAbout(change).entries()) {
        const { happened, expected } = tryChange(change, time, index === 0)
        instants += Object.values(happened).flat().length
        if (isDeepStrictEqual(happened, expected)) continue
        const found = `${change.zone} at ${new Date(change.at).toISOString()}, ${time}: ${JSON.stringify({ happened, expected })}`
        findings.push({ promise: 'each comes at its instant, and once', found })
      }
    }
    const zones = new Set(changes.map((change) => change?.zone)).size
    const more = [tryWaits(), await trySkew(bench)]
    return {
      did: sumOf([
        { zones, changes: changes.length, 'entries and ends of waits': instants },
        ...more.map(({ did }) => did),
      ]),
      findings: [...findings, ...more.flatMap((one) => one.findings)],
    }
  },
}
