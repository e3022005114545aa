import { definePack } from '@linli/rules'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../testing/database.js'
import { journey } from '../../testing/rules.js'
import { NOON, track } from '../../testing/shop.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import { virtualClock } from '../queue/clocks.js'
import { memoryIssuer } from '../testing/memory-issuer.js'

const postgresUrl = inject('postgresUrl')
const PEOPLE = 64

const give = (offer: string) =>
  journey(offer, [{ id: 'coupon', issue: { offer } }], { entry: { on: 'event', event: offer } })
const pay = memoryIssuer({ name: 'pay' })
const rules = definePack([
  { kind: 'offer', id: 'last', total: 1 },
  { kind: 'offer', id: 'money', total: 1000, value: 0.7, budget: { money: 5 } },
  { kind: 'offer', id: 'codes', codes: 'given' },
  { kind: 'offer', id: 'issued', issuer: 'pay', total: 5 },
  ...['last', 'money', 'codes', 'issued'].map(give),
])

describe.skipIf(postgresUrl === undefined)(
  'four processes, and 64 people who want a coupon at the same instant',
  () => {
    let database: FreshDatabase
    let engines: readonly Engine[]

    beforeAll(async () => {
      database = await freshDatabase(postgresUrl)
      const clock = virtualClock(NOON)
      const start = () => createEngine({ rules, database: database.address, clock, issuers: [pay] })
      engines = [await start(), await start(), await start(), await start()]
    })

    afterAll(async () => {
      for (const engine of engines) await engine.close()
      await database.drop()
    })

    async function wanted(event: string): Promise<readonly string[]> {
      const people = Array.from({ length: PEOPLE }, (_, index) => track(event, `u${index}`))
      await Promise.all(people.map((one, index) => engines[index % 4]?.ingest([one])))
      await Promise.all(engines.map((engine) => engine.settle()))
      // What another process held was passed over.
      await engines[0]?.settle()
      const said = (await engines[0]?.decisions()) ?? []
      return said.filter(({ rule }) => rule === event).map(({ decision }) => decision)
    }

    const issued = (said: readonly string[]) => said.filter((one) => one === 'coupon.issued').length
    const refused = (said: readonly string[]) => said.filter((one) => one === 'coupon.refused').length

    it.each([
      ['the last one goes to one of them', 'last', 1],
      ['a budget pays for as many as it can', 'money', 7],
      ['no more are asked of an issuer than there are', 'issued', 5],
    ])('%s', async (_, event, most) => {
      const said = await wanted(event)
      expect([issued(said), refused(said)]).toEqual([most, PEOPLE - most])
      expect(pay.issued.length).toBeLessThanOrEqual(5)
    })

    it('each code goes to one of them', async () => {
      const codes = Array.from({ length: 40 }, (_, index) => `CODE-${index}`)
      await engines[0]?.addCodes('codes', codes)
      expect(issued(await wanted('codes'))).toBe(40)
      const found = await Promise.all(codes.map((code) => engines[1]?.coupon(code)))
      expect(new Set(found.map((one) => one?.subject[1])).size).toBe(40)
      expect((await engines[2]?.verify())?.violations).toEqual([])
    })

    it('one of 64 redeems a coupon', async () => {
      const answers = await Promise.allSettled(
        Array.from({ length: PEOPLE }, (_, index) => engines[index % 4]?.redeem('CODE-0', { by: `order-${index}` })),
      )
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const reasons = answers.flatMap((one) =>
        one.status === 'rejected' ? [(one.reason as { code: string }).code] : [],
      )
      expect(new Set(reasons)).toEqual(new Set(['coupon.redeemed']))
    })
  },
)
