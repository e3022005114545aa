/**
 * A simulation of the grocery year with 50 tags and 20 journeys: seconds of processor time, and events in each of them. Then
 * a what-if, as a ratio to one simulation; the two take turns.
 *
 *     LINLI_DATA=… npm run bench:simulate [-- --rounds 3] [--events 15000] [--once]
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { simulate, whatIf } from '@linli/core'
import { readEventFile } from '../packages/core/src/simulation/event-file.js'
import { groceryPack } from './grocery-pack.js'
import { number, spread } from './measure.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    events: { type: 'string', default: 'Infinity' },
    once: { type: 'boolean', default: false },
  },
})
const folder = process.env['LINLI_DATA']
if (folder === undefined) throw new Error('Say where the data is: LINLI_DATA.')
const file = path.join(folder, 'completejourney', 'events.ndjson.gz')

/** The year, or the beginning of it. */
async function* history() {
  let taken = 0
  for await (const event of readEventFile(file)) if (taken++ < Number(values.events)) yield event
}

const [rules, next] = [groceryPack(), groceryPack(2)]

let events = 0
const once = () =>
  cpu(async () => {
    const { events: counted, decisions } = await simulate({ rules, events: history() })
    events = counted.total
    if (counted.rejected > 0) throw new Error(`${counted.rejected} events were rejected.`)
    if (values.once) console.log(decisions)
  })
const twice = () => cpu(() => whatIf({ old: rules, new: next, events: history }))

/** Seconds of processor time: on a machine that does other things too, what counts. */
async function cpu(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000_000
}

const times: number[] = []
const ratios: number[] = []
const rounds = values.once ? 1 : Number(values.rounds)
for (let round = 0; round < rounds; round++) {
  const one = await once()
  times.push(one)
  if (!values.once) ratios.push((await twice()) / one)
}
console.log(
  `${number(events)} events, ${rules.tags.length} tags, ${rules.journeys.length} journeys. Median (least-most) of ${rounds} rounds. Node ${process.version}.`,
)
console.log(`${spread(times)} s of processor time | ${number(events / Math.min(...times))} events in each at best`)
if (ratios.length > 0) console.log(`A what-if takes ${spread(ratios)} times as long.`)
