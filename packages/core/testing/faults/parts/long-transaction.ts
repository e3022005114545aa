import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import pg from 'pg'
import type { Engine } from '../../../src/door.js'
import { createEngine } from '../../../src/engine.js'
import { journey, send, template, wait } from '../../rules.js'
import type { Part } from '../part.js'

/** For how long somebody else's transaction is open, in seconds; half as long before, and half as long after. */
const SECONDS = 60
const LEAST_SHARE = 0.5
const AT_ONCE = 200

export const LONG_TRANSACTION: Part = {
  name: 'T16',
  does: 'somebody else leaves a transaction open, so that no dead row can be cleared away; how much is done beside it',
  run: async (bench) => {
    const { url: database } = await bench.postgres()
    const schema = `long_${randomBytes(6).toString('hex')}`
    const sms = { name: 'sms', repeat: { kind: 'none' as const }, send: async () => ({ status: 'accepted' as const }) }
    const rules = definePack([template('hello'), journey('remind', [wait('a-moment', '1s'), send('push')])])
    const engine = await createEngine({ rules, database, schema, channels: [sms] })
    const foreign = new pg.Client({ connectionString: database })
    try {
      await foreign.connect()
      const seconds = bench.share(SECONDS)
      await work(engine, seconds / 6)
      const before = await work(engine, seconds / 2)
      await foreign.query('begin isolation level repeatable read')
      await foreign.query(`select count(*) from ${schema}.subject`)
      const beside = await work(engine, seconds)
      await foreign.query('rollback')
      const after = await work(engine, seconds / 2)
      const share = beside.rate / ((before.rate + after.rate) / 2)
      const found = `${beside.rate.toFixed(0)} a second, ${before.rate.toFixed(0)} before and ${after.rate.toFixed(0)} after`
      const did = { seconds, '% of the speed without it': Math.round(share * 100) }
      const deliveries = before.events + beside.events + after.events
      const findings = share < LEAST_SHARE ? [{ promise: 'at least half the speed', found }] : []
      return { did: { ...did, deliveries }, findings }
    } finally {
      await foreign.end()
      await engine.close()
    }
  },
}

let people = 0

/** Takes events in and does what is due, for so long: people come, wait a moment, and are written to. */
async function work(engine: Engine, seconds: number): Promise<{ readonly events: number; readonly rate: number }> {
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  let events = 0
  while (elapsed() < seconds) {
    const carts = Array.from({ length: AT_ONCE }, () => {
      people += 1
      // Everybody comes several times: their rows are written over and over.
      return { event: 'cart', userId: `u${people % 3_000}`, messageId: `c${people}` }
    })
    await engine.ingest(carts)
    await engine.settle()
    events += AT_ONCE
  }
  return { events, rate: events / elapsed() }
}
