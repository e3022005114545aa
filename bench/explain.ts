import { createEngine, type Engine } from '@linli/core'
import { definePack } from '@linli/rules'
import { median, number, seconds } from './measure.js'
import { shopEvents, shopTags } from './shop.js'

// How long an explanation takes, of somebody with many events. `npm run bench:explain`

const EVENTS = 10_000
const RUNS = 15

const events = shopEvents({ events: EVENTS, users: 1, communities: 1 })
const TAGS = {
  'a count in a window': 'tag-0',
  'a sum of items': 'tag-20',
  'how long ago': 'tag-50',
  'two conditions': 'tag-90',
}
const about = {
  kind: 'tag',
  id: 'lively',
  conditions: {
    fact: 'eventCount',
    operator: 'greaterThan',
    value: 5,
    params: { event: 'order_paid', within: '7d', of: 'community' },
  },
}

const engine: Engine = await createEngine({ rules: definePack([...shopTags(), about]) })
for (let from = 0; from < events.length; from += 1000) await engine.ingest(events.slice(from, from + 1000))
await engine.settle()

console.log(`One person and one community with ${number(EVENTS)} events and 100 tags, in memory; median of ${RUNS}`)
for (const [name, rule] of Object.entries({ ...TAGS, 'the community': 'lively' })) {
  const subject = ['user', 'u-0'] as const
  const now: number[] = []
  const past: number[] = []
  for (let run = 0; run < RUNS; run++) {
    now.push(await seconds(() => engine.explain({ subject, rule })))
    past.push(await seconds(() => engine.explain({ subject, rule, at: Date.now() - 5 * 86_400_000 })))
  }
  console.log(
    `${name.padEnd(22)} ${number(median(now) * 1000, 1)} ms; five days ago ${number(median(past) * 1000, 1)} ms`,
  )
}
await engine.close()
