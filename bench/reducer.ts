/**
 * The reducer alone on one core, from a row's text to a row's text: events a second by how many features rules read, when
 * an event reaches few of them and when it reaches all.
 *
 *     npm run bench:reducer [-- --seconds 2]
 */
import { parseArgs } from 'node:util'
import { Life, programOf, type Reach } from './lives.js'
import { number } from './measure.js'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } })
const PEOPLE = 50
/** Each person has so many orders before it counts: thirty days of them. */
const BEFORE = 120

function speed(features: number, reach: Reach): number {
  const program = programOf(features, reach)
  const lives = Array.from({ length: PEOPLE }, (_, id) => new Life(program, features, id))
  for (const life of lives) for (let order = 0; order < BEFORE; order++) life.order(reach)
  const started = performance.now()
  const end = started + Number(values.seconds) * 1000
  let events = 0
  while (performance.now() < end) {
    for (const life of lives) life.order(reach)
    events += PEOPLE
  }
  return events / ((performance.now() - started) / 1000)
}

speed(10, 'few')
for (const features of [1, 10, 100, 300]) {
  const [few, all] = [speed(features, 'few'), speed(features, 'all')]
  const each = `${number(all * features)} features/s`
  console.log(
    `${features} features: ${number(few)} events/s reaching one of them, ${number(all)} reaching all (${each})`,
  )
}
