import { describe, expect, it } from 'vitest'
import { atLeast, journey, tag, wait } from '../../testing/rules.js'
import { group, shopOf, track } from '../../testing/shop.js'
import type { Decision } from '../domain/decision.js'
import type { Store, StoreTransaction } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { delegate } from '../testing/delegate.js'

const EVERYBODY = Array.from({ length: 9 }, (_, index) => `u${index + 1}`)
const SOON = journey('rest', [wait('later', '1h')])
const HOUR = 3_600_000
const REFUSED = Object.assign(new Error('a trigger of the host refuses the row'), { code: 'P0001' })

/** A store that refuses some decisions. */
function storeRefusing(isRefused: (decision: Decision) => boolean, error: Error = REFUSED): Store {
  const store = memoryStore()
  const refusing = (tx: StoreTransaction) =>
    delegate(tx, {
      addDecisions: async (decisions) => {
        if (decisions.some(isRefused)) throw error
        return tx.addDecisions(decisions)
      },
    })
  return delegate(store, { transaction: (work) => store.transaction((tx) => work(refusing(tx))) })
}

describe('a person whose wait has ended and who cannot be written', () => {
  async function waitingFor(error: Error) {
    let isMended = false
    const isRefused = ({ subject, decision }: Decision) =>
      !isMended && subject === 'user:u3' && decision === 'journey.exited'
    const shop = shopOf([SOON], { store: storeRefusing(isRefused, error) })
    const engine = await shop.start()
    await engine.ingest(EVERYBODY.map((user) => track('cart', user)))
    await engine.settle()
    shop.clock.moveTo(shop.clock.now() + 2 * HOUR)
    const told = await engine.settle().catch((thrown: unknown) => thrown)
    const waiting = async () => (await engine.runs({ journey: 'rest' })).runs.map(({ subject: [, id] }) => id)
    const mend = () => {
      isMended = true
    }
    return { ...shop, engine, told, waiting, mend }
  }

  it('holds up no other, is left alone for an hour, and a decision says so', async () => {
    const { engine, clock, told, waiting, mend } = await waitingFor(REFUSED)
    await engine.settle()

    expect(told).toBe(REFUSED)
    expect(await waiting()).toEqual(['u3'])
    const failed = (await engine.decisions()).filter(({ reason }) => reason === 'event.failed')
    expect(failed).toEqual([expect.objectContaining({ subject: 'user:u3', decision: 'event.rejected' })])

    mend()
    await engine.settle()
    expect(await waiting()).toEqual(['u3'])
    clock.moveTo(clock.now() + HOUR)
    await engine.settle()
    expect(await waiting()).toEqual([])
    await engine.close()
  })

  it('is not looked for where the database is at fault', async () => {
    const gone = Object.assign(new Error('the server has gone away'), { code: '57P01' })

    const { engine, told, waiting, mend } = await waitingFor(gone)

    expect(told).toBe(gone)
    expect(await waiting()).toHaveLength(EVERYBODY.length)
    expect((await engine.decisions()).filter(({ reason }) => reason === 'event.failed')).toEqual([])
    mend()
    await engine.settle()
    expect(await waiting()).toEqual([])
    await engine.close()
  })
})

describe('a person who failed alone and whom another process has taken since', () => {
  it('is left to it, and so is nobody else', async () => {
    const store = memoryStore()
    let most = Number.POSITIVE_INFINITY
    let isTaken = false
    const contended = (tx: StoreTransaction) =>
      delegate(tx, {
        takeDueSubjects: async (until, limit) => {
          most = limit
          const due = await tx.takeDueSubjects(until, isTaken ? limit + 1 : limit)
          return due.filter(({ key }) => !(isTaken && key.id === 'u3')).slice(0, limit)
        },
        addDecisions: async (decisions) => {
          const isRefused = decisions.some(
            ({ subject, decision }) => subject === 'user:u3' && decision === 'journey.exited',
          )
          isTaken ||= isRefused && most === 1
          if (isRefused) throw REFUSED
          return tx.addDecisions(decisions)
        },
      })
    const shop = shopOf([SOON], {
      store: delegate(store, { transaction: (work) => store.transaction((tx) => work(contended(tx))) }),
    })
    const engine = await shop.start()
    await engine.ingest(EVERYBODY.map((user) => track('cart', user)))
    shop.clock.moveTo(shop.clock.now() + 2 * HOUR)

    await expect(engine.settle()).rejects.toBe(REFUSED)
    await engine.settle()

    expect((await engine.decisions()).filter(({ reason }) => reason === 'event.failed')).toEqual([])
    expect((await engine.runs({ journey: 'rest' })).runs.map(({ subject: [, id] }) => id)).toEqual(['u3'])
    await engine.close()
  })
})

describe('a community that is told something and cannot be written', () => {
  it('holds up no other, and a decision says so', async () => {
    const isRefused = ({ subject, decision }: Decision) => subject === 'community:c2' && decision === 'tag.added'
    const rules = [tag('seen', atLeast(1, 'order'), { subject: 'community' })]
    const shop = shopOf(rules, { store: storeRefusing(isRefused) })
    const engine = await shop.start()
    await engine.ingest(EVERYBODY.map((user, index) => group(user, `c${index + 1}`)))
    await engine.settle()

    await engine.ingest(EVERYBODY.map((user) => track('order', user)))
    const told = await engine.settle().catch((thrown: unknown) => thrown)
    await engine.settle()

    expect(told).toBe(REFUSED)
    const seen = await Promise.all(EVERYBODY.map((_, index) => engine.subject('community', `c${index + 1}`)))
    expect(seen.flatMap((one, index) => (one?.tags.includes('seen') === true ? [] : [index + 1]))).toEqual([2])
    const failed = (await engine.decisions()).filter(({ reason }) => reason === 'event.failed')
    expect(failed.map(({ subject }) => subject)).toEqual(['community:c2'])
    await engine.close()
  })
})
