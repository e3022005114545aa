import { createEngine, definePack, type EngineOptions, virtualClock } from '@linli/core'
import { run } from './databases.js'

/** People who have a tag until their order is a day old. */
export const RULES = definePack([
  {
    kind: 'tag',
    id: 'ordered-today',
    conditions: {
      fact: 'eventCount',
      operator: 'greaterThanInclusive',
      value: 1,
      params: { event: 'order', within: '1d' },
    },
  },
])

const DAY = 86_400_000

export interface Waiting {
  readonly people: number
  /** When the first of them flips, in milliseconds since the epoch. */
  readonly from: number
  /** Over how many milliseconds all of them flip, evenly. */
  readonly over: number
}

/** Fills a fresh schema with people who wait, by copies of one whom an engine has taken in. */
export async function fillWith(url: string, schema: string, { people, from, over }: Waiting): Promise<void> {
  await run(url, `drop schema if exists ${schema} cascade`)
  const at = from - DAY
  const store = await openEngine({ database: url, schema, clock: virtualClock(at) })
  await store.ingest([{ event: 'order', userId: 'model', messageId: 'm', timestamp: at }])
  await store.close()
  const later = `(place * ${over}::float8 / ${people})::int8`
  const moved = (text: string) => `replace(${text}, '${from}', (${from} + ${later})::text)`
  await run(
    url,
    `insert into ${schema}.subject (kind, id, version, state, due_at)
     select kind, 'u-' || place, version, ${moved(`replace(state, '${at}', (${at} + ${later})::text)`)}, ${from} + ${later}
     from ${schema}.subject cross join generate_series(1, ${people}) as place where id = 'model'`,
    `delete from ${schema}.subject where id = 'model'`,
    `vacuum analyze ${schema}.subject`,
  )
}

export function openEngine(options: Omit<EngineOptions, 'rules'>) {
  return createEngine({ rules: RULES, ...options })
}
