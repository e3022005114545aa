/**
 * Tries every change of every zone's clocks from 2025 to 2035: journeys that begin each day, or each quarter of an hour, and
 * waits until a local time, about the change. What should happen is found by asking Intl what clocks show.
 *
 *     npm run campaign:zones
 */
import assert from 'node:assert/strict'
import { changesBetween, timesAbout, tryChange } from './trial.js'

const started = performance.now()
const changes = changesBetween('2024-12-01T00:00:00Z', '2036-02-01T00:00:00Z')
const zones = new Set(changes.map(({ zone }) => zone))
console.log(
  `${changes.length} changes of the clocks of ${zones.size} zones out of ${Intl.supportedValuesOf('timeZone').length}`,
)
let [tried, happened] = [0, 0]
for (const change of changes) {
  for (const [index, time] of timesAbout(change).entries()) {
    const trial = tryChange(change, time, index === 0)
    assert.deepEqual(trial.happened, trial.expected, `${change.zone} at ${new Date(change.at).toISOString()}, ${time}`)
    tried += 1
    happened += Object.values(trial.happened).flat().length
  }
}
const seconds = Math.round((performance.now() - started) / 1000)
console.log(`${tried} trials, ${happened} entries and ends of waits, each at its instant and once: ${seconds} s`)
