import { randomBytes } from 'node:crypto'
import { definePack } from '@linli/rules'
import { describe, expect, inject, it } from 'vitest'
import { atLeast, tag } from '../../testing/rules.js'
import { NOON } from '../../testing/shop.js'
import { withTransactions } from '../../testing/stores.js'
import { createEngine } from '../engine.js'
import type { Store } from '../ports/store.js'
import { virtualClock } from '../queue/clocks.js'
import { openStore } from '../storage/open.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: races about who a visitor is; there is no PostgreSQL.')

/** A store whose first question about visitors is answered, and not acted upon before `goOn`. */
function hesitating(store: Store) {
  let asked = 0
  let hasAsked = () => {}
  let goOn = () => {}
  const reached = new Promise<void>((resolve) => {
    hasAsked = resolve
  })
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const slow = withTransactions(store, (tx) => ({
    async resolveIdentities(ids) {
      const known = await tx.resolveIdentities(ids)
      asked += 1
      if (asked > 1) return known
      hasAsked()
      await gate
      return known
    },
  }))
  return { store: slow, reached, goOn }
}

describe.skipIf(postgresUrl === undefined)('an event of a visitor that is taken in', () => {
  const rules = definePack([tag('regular', atLeast(3, 'order'))])
  const clock = virtualClock(NOON)
  const visit = (messageId: string) => ({ event: 'order', anonymousId: 'a1', messageId })
  const who = (messageId: string, userId: string) => ({
    type: 'identify' as const,
    anonymousId: 'a1',
    userId,
    messageId,
  })

  async function open() {
    const options = { schema: `race_${randomBytes(6).toString('hex')}`, clock: 'engine', concurrency: 1 } as const
    const slow = hesitating(await openStore(postgresUrl ?? '', options))
    const other = await createEngine({ rules, clock, database: await openStore(postgresUrl ?? '', options) })
    const one = await createEngine({ rules, clock, database: slow.store })
    const close = () => Promise.all([one.close(), other.close()])
    return { one, other, close, reached: slow.reached, goOn: slow.goOn }
  }

  it('while somebody says who that is belongs to the user', async () => {
    const { one, other, close, reached, goOn } = await open()
    await other.ingest([visit('m1'), visit('m2')])

    const taking = one.ingest([visit('m3')])
    await reached
    await other.ingest([who('m4', 'u1')])
    goOn()

    expect(await taking).toMatchObject({ accepted: 1 })
    expect((await one.subject('user', 'u1'))?.tags).toEqual(['regular'])
    expect(await one.subject('user', 'anon:a1')).toMatchObject({ id: 'u1' })
    await close()
  })

  it('as the first of it, while somebody says who that is, belongs to the user', async () => {
    const { one, other, close, reached, goOn } = await open()

    const taking = one.ingest([visit('m1'), visit('m2'), visit('m3')])
    await reached
    await other.ingest([who('m4', 'u1')])
    goOn()

    expect(await taking).toMatchObject({ accepted: 3 })
    expect((await one.subject('user', 'u1'))?.tags).toEqual(['regular'])
    await close()
  })

  it('with another word about who that is belongs to whom the first word named', async () => {
    const { one, other, close, reached, goOn } = await open()

    const taking = one.ingest([visit('m1'), visit('m2'), visit('m3'), who('m5', 'u2')])
    await reached
    await other.ingest([who('m4', 'u1')])
    goOn()

    expect(await taking).toMatchObject({ accepted: 4 })
    expect((await one.subject('user', 'u1'))?.tags).toEqual(['regular'])
    expect((await one.subject('user', 'u2'))?.tags).toEqual([])
    await close()
  })
})

describe.skipIf(postgresUrl === undefined)('two processes that find out at once that two people are one', () => {
  const rules = definePack([tag('regular', atLeast(4, 'order'))])
  const clock = virtualClock(NOON)
  const order = (messageId: string, userId: string, id?: string) => {
    const context = id === undefined ? {} : { externalIds: [{ type: 'openid', id }] }
    return { event: 'order', userId, messageId, context }
  }

  async function openBoth() {
    const options = { schema: `race_${randomBytes(6).toString('hex')}`, clock: 'engine', concurrency: 2 } as const
    const open = async () => createEngine({ rules, clock, database: await openStore(postgresUrl ?? '', options) })
    const engines = [await open(), await open()] as const
    return { engines, close: () => Promise.all(engines.map((engine) => engine.close())) }
  }

  it('agree who stays, also when each says it the other way round', async () => {
    const { engines, close } = await openBoth()
    for (let round = 0; round < 8; round++) {
      const [a, b] = [`a${round}`, `b${round}`]
      await engines[0].ingest([a, b].flatMap((user) => [order(`${user}/1`, user), order(`${user}/2`, user)]))

      const words = [
        { type: 'alias', userId: a, previousId: b, messageId: `${round}/1` },
        { type: 'alias', userId: b, previousId: a, messageId: `${round}/2` },
      ] as const
      await Promise.all(words.map((word, index) => engines[index as 0 | 1].ingest([word])))

      const one = await engines[0].subject('user', a)
      expect(one?.tags).toEqual(['regular'])
      expect(await engines[1].subject('user', b)).toEqual(one)
      expect((await engines[0].decisions()).filter(({ decision }) => decision === 'identity.merged')).toHaveLength(
        2 * (round + 1),
      )
    }
    await close()
  })

  it('agree who stays when each is the first to see the identifier of both', async () => {
    const { engines, close } = await openBoth()
    for (let round = 0; round < 8; round++) {
      const [a, b] = [`a${round}`, `b${round}`]
      const events = [a, b].map((user) => [order(`${user}/1`, user, `o${round}`), order(`${user}/2`, user)])

      await Promise.all(events.map((own, index) => engines[index as 0 | 1].ingest(own)))

      const one = await engines[0].subject('user', a)
      expect(one?.tags).toEqual(['regular'])
      expect(await engines[1].subject('user', b)).toEqual(one)
    }
    await close()
  })
})
