/**
 * How late tags flip, live on PostgreSQL and with nothing but time to bring it about: many people within one minute, then
 * many at one instant. Aim: within a second.
 *
 *     npm run bench:flips [-- --people 100000 --at-once 30000]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Decision } from '@linli/core'
import type { Store } from '../packages/core/src/ports/store.js'
import { openStore } from '../packages/core/src/storage/open.js'
import { delegate } from '../packages/core/src/testing/delegate.js'
import { withTransactions } from '../packages/core/testing/stores.js'
import { benchServer, run } from './databases.js'
import { number } from './measure.js'
import { fillWith, openEngine, type Waiting } from './waiting.js'

const { values } = parseArgs({
  options: { people: { type: 'string', default: '100000' }, 'at-once': { type: 'string', default: '30000' } },
})
const SCHEMA = 'bench_flips'
const server = await benchServer()

/** A store that tells, after each commit, of the decisions in it. */
function telling(store: Store, told: (decisions: readonly Decision[]) => void): Store {
  return delegate<Store>(store, {
    async transaction(work) {
      let decided: Decision[] = []
      const watched = withTransactions(store, (tx) => ({
        addDecisions: (decisions) => {
          decided.push(...decisions)
          return tx.addDecisions(decisions)
        },
      }))
      const result = await watched.transaction((tx) => {
        decided = []
        return work(tx)
      })
      told(decided)
      return result
    },
  })
}

/** Milliseconds from each flip's instant to its commit, in order. */
async function lags(waiting: Omit<Waiting, 'from'>): Promise<readonly number[]> {
  // Filling takes about a second for each 30,000; all must be there before the first is due.
  const from = Date.now() + 10_000 + waiting.people / 10
  await fillWith(server.url, SCHEMA, { ...waiting, from })
  if (Date.now() > from) throw new Error('Filling took too long.')
  const lag: number[] = []
  const store = telling(await openStore(server.url, { schema: SCHEMA }), (decisions) => {
    const now = Date.now()
    for (const { at, decision } of decisions) if (decision === 'tag.removed') lag.push(now - at)
  })
  const engine = await openEngine({ database: store })
  engine.start()
  while (lag.length < waiting.people && Date.now() < from + waiting.over + 300_000) await sleep(200)
  await engine.close()
  await run(server.url, `drop schema ${SCHEMA} cascade`)
  return lag.sort((a, b) => a - b)
}

function report(what: string, lag: readonly number[]): void {
  const part = (share: number) => number(lag[Math.min(lag.length - 1, Math.floor(lag.length * share))] ?? 0)
  console.log(`${what}: half within ${part(0.5)} ms, 99% within ${part(0.99)} ms, the last after ${part(1)} ms`)
}

const people = Number(values.people)
const atOnce = Number(values['at-once'])
report(`${number(people)} flips in a minute`, await lags({ people, over: 60_000 }))
report(`${number(atOnce)} flips at one instant`, await lags({ people: atOnce, over: 0 }))
await server.stop()
