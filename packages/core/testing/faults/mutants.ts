import type { Tally } from '../../src/domain/tallies.js'
import type { Channel } from '../../src/ports/channel.js'
import type { Clock } from '../../src/ports/clock.js'
import type { CouponIssuer } from '../../src/ports/issuer.js'
import type { Delivery, LockedSubject, SavedSubject, Store, StoreTransaction } from '../../src/ports/store.js'
import { memoryStore } from '../../src/storage/memory/store.js'
import { delegate } from '../../src/testing/delegate.js'
import { withTransactions } from '../stores.js'

// Bugs that engines of this kind have had, planted one at a time: a harness that notices none of them proves nothing.

export interface Mutant {
  readonly name: string
  /** For how many milliseconds the provider drops repeats; as long as its channel says when left out. */
  readonly providerWindowMs?: number
  readonly mutate: {
    readonly store?: (store: Store, clock: Clock) => Store
    readonly channel?: (channel: Channel) => Channel
    readonly issuer?: (issuer: CouponIssuer) => CouponIssuer
  }
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'subjects are read without a lock',
    mutate: {
      store: (store) =>
        withTransactions(store, () => ({
          lockSubjects: (keys, options) => store.transaction((other) => other.lockSubjects(keys, options)),
        })),
    },
  },
  {
    name: 'caps are not asked when a message leaves',
    mutate: { store: (store) => guardSees(store, (state) => ({ ...state, sends: [] })) },
  },
  {
    name: 'calls of a channel with a rate are counted by each process for itself',
    mutate: {
      store: (store) => {
        const own = memoryStore()
        return withTransactions(store, () => ({
          readCalls: (channels) => own.transaction((tx) => tx.readCalls(channels)),
          lockCalls: (channels) => own.transaction((tx) => tx.lockCalls(channels)),
          saveCalls: (calls) => own.transaction((tx) => tx.saveCalls(calls)),
        }))
      },
    },
  },
  {
    name: 'calls of a channel with a rate are not written down',
    mutate: { store: (store) => withTransactions(store, () => ({ saveCalls: async () => undefined })) },
  },
  {
    name: 'messages that a budget has paid for are not counted',
    mutate: { store: (store) => tallySees(store, 'wecom-budget', () => ({ taken: 0 })) },
  },
  {
    name: 'money that a budget has paid is not counted',
    mutate: { store: (store) => tallySees(store, 'app-budget', () => ({ taken: 0 })) },
  },
  {
    name: 'promotions to a community make room for others',
    mutate: { store: (store) => tallySees(store, 'mixed', ({ taken, made }) => ({ made: made + 10 * taken + 10 })) },
  },
  {
    name: "a code of the shop's own is given again",
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          takeCode: async (offer) => {
            const code = await tx.takeCode(offer)
            if (code !== undefined) await tx.returnCode(code)
            return code
          },
        })),
    },
  },
  {
    name: 'each attempt of an issuer has a key of its own',
    mutate: {
      issuer: (issuer) =>
        delegate<CouponIssuer>(issuer, {
          issue: (grant, context) =>
            issuer.issue({ ...grant, grantKey: `${grant.grantKey}-${context.attempt}` }, context),
        }),
    },
  },
  {
    name: 'an error of an issuer is taken for a refusal',
    mutate: {
      issuer: (issuer) =>
        delegate<CouponIssuer>(issuer, {
          issue: (grant, context) =>
            issuer.issue(grant, context).catch(() => ({ status: 'refused', reason: 'other' }) as const),
        }),
    },
  },
  {
    name: 'consent is not asked when a message leaves',
    mutate: {
      store: (store, clock) =>
        guardSees(store, (state) => ({ ...state, consent: { '*|promotion': [true, clock.now()] } })),
    },
  },
  {
    name: 'what is unknown is taken for not sent',
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          claimDeliveries: async (...claim) => (await tx.claimDeliveries(...claim)).map(asReserved),
          lockDeliveries: async (claims) => (await tx.lockDeliveries(claims)).map(asReserved),
        })),
    },
  },
  {
    name: 'what is unknown is taken for sent, and forgotten',
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          claimDeliveries: async (...claim) => {
            const claimed = await tx.claimDeliveries(...claim)
            const unknown = claimed.filter(({ state }) => state === 'unknown')
            await tx.saveDeliveries(unknown.map((one) => ({ ...one, state: 'accepted', dueAt: undefined })))
            return claimed.filter(({ state }) => state !== 'unknown')
          },
        })),
    },
  },
  {
    name: 'it is not written down that a provider is about to be called',
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          saveDeliveries: (deliveries) =>
            tx.saveDeliveries(deliveries.map((one) => (one.state === 'calling' ? { ...one, state: 'reserved' } : one))),
        })),
    },
  },
  {
    name: 'work is said to be done before it is committed',
    mutate: {
      store: (store) =>
        delegate<Store>(store, {
          transaction: (work) =>
            new Promise((resolve, reject) => {
              const whole = store.transaction(async (tx) => {
                const result = await work(tx)
                resolve(result)
                await pause(30)
                return result
              })
              whole.catch(reject)
            }),
        }),
    },
  },
  {
    name: 'an event that is known counts again',
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          addEvents: async (events) => {
            await tx.addEvents(events)
            return new Set(events.map(({ messageId }) => messageId))
          },
        })),
    },
  },
  {
    name: 'an event that comes late does not count',
    mutate: {
      store: (store, clock) =>
        withTransactions(store, (tx) => ({
          addEvents: async (events) => {
            const fresh = await tx.addEvents(events)
            const late = events.filter(({ at }) => at < clock.now() - LATE_MS).map(({ messageId }) => messageId)
            return new Set([...fresh].filter((id) => !late.includes(id)))
          },
        })),
    },
  },
  {
    name: 'who was overtaken writes all the same',
    mutate: {
      store: (store) => {
        let times = 0
        return withTransactions(store, (tx) => ({
          lockDeliveries: async (claims) => {
            const found: Delivery[] = []
            // Now and then it is slow enough to be overtaken.
            if (claims.length > 0 && ++times % 10 === 0) await pause(LONGER_THAN_A_LEASE_MS)
            for (const held of claims) {
              found.push(...(await tx.lockDeliveries([held])))
              // As it was when it was claimed, or called, whatever has become of it.
              const was = 'state' in held ? { state: held.state as Delivery['state'] } : {}
              for (let later = 1; later < 5; later++) {
                const overtaken = await tx.lockDeliveries([{ ...held, claim: held.claim + later }])
                found.push(...overtaken.map((one) => ({ ...one, ...was })))
              }
            }
            return found
          },
        }))
      },
    },
  },
  {
    name: 'waits are not looked at again',
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          saveSubjects: (subjects) => tx.saveSubjects(subjects.map((one) => ({ ...one, dueAt: undefined }))),
        })),
    },
  },
  {
    name: 'a wait is crossed out before what follows is committed',
    mutate: {
      store: (store) => {
        let times = 0
        return withTransactions(store, (tx) => ({
          takeDueSubjects: async (until, limit) => {
            const taken = await store.transaction(async (other) => {
              const due = await other.takeDueSubjects(until, limit)
              await other.saveSubjects(due.map((one) => ({ ...one, dueAt: undefined })))
              return due
            })
            // It dies right there. Waits of people of whom an event comes later are found again, so once is not enough.
            if (taken.length > 0 && ++times % 5 === 0) process.kill(process.pid, 'SIGKILL')
            return tx.lockSubjects(taken.map(({ key }) => key))
          },
        }))
      },
    },
  },
  {
    name: 'the outbox is written after the commit',
    mutate: {
      store: (store) =>
        delegate<Store>(store, {
          transaction: async (work) => {
            let wished: readonly Delivery[] = []
            const result = await store.transaction((tx) => {
              wished = []
              return work(
                delegate<StoreTransaction>(tx, {
                  addDeliveries: async (deliveries) => {
                    wished = [...wished, ...deliveries]
                  },
                }),
              )
            })
            if (wished.length === 0) return result
            await pause(20)
            await store.transaction((tx) => tx.addDeliveries(wished))
            return result
          },
        }),
    },
  },
  {
    name: 'deliveries older than the last are passed over',
    mutate: {
      store: (store) => {
        let last = 0
        return withTransactions(store, (tx) => ({
          claimDeliveries: async (...claim) => {
            const claimed = await tx.claimDeliveries(...claim)
            const newer = claimed.filter(({ plannedAt }) => plannedAt >= last)
            last = Math.max(last, ...newer.map(({ plannedAt }) => plannedAt))
            return newer
          },
        }))
      },
    },
  },
  {
    name: 'each attempt has a key of its own',
    mutate: {
      channel: (channel) =>
        delegate<Channel>(channel, {
          send: (message, context) =>
            channel.send({ ...message, deliveryKey: `${message.deliveryKey}-${context.attempt}` }, context),
        }),
    },
  },
  {
    name: 'calls are repeated after the provider has forgotten them',
    providerWindowMs: 3_000,
    mutate: {},
  },
  {
    name: 'a provider that cannot tell repeats is called again',
    mutate: {
      channel: (channel) =>
        channel.repeat.kind === 'none'
          ? delegate<Channel>(channel, { repeat: { kind: 'idempotent', windowMs: 86_400_000 } })
          : channel,
    },
  },
  {
    name: 'an error is taken for a refusal',
    mutate: {
      channel: (channel) =>
        delegate<Channel>(channel, {
          send: (message, context) =>
            channel.send(message, context).catch(() => ({ status: 'refused', reason: 'other' }) as const),
        }),
    },
  },
  {
    name: 'coupons are given also where none are left',
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          takeFromPool: async (...pool) => {
            await tx.takeFromPool(...pool)
            return true
          },
        })),
    },
  },
  {
    name: 'a coupon goes back although its message may have left',
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          saveSubjects: (subjects) => tx.saveSubjects(subjects.map(withNothingOpen)),
        })),
    },
  },
  {
    name: 'coupons of one person are not counted',
    mutate: { store: (store) => withTransactions(store, () => ({ countCoupons: async () => 0 })) },
  },
  {
    name: 'it is not said why a message was not sent',
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          addDecisions: (decisions) =>
            tx.addDecisions(decisions.filter(({ decision }) => decision !== 'message.suppressed')),
        })),
    },
  },
  {
    name: 'what was decided is said twice',
    mutate: {
      store: (store) =>
        withTransactions(store, (tx) => ({
          addDecisions: async (decisions) => {
            await tx.addDecisions(decisions)
            await tx.addDecisions(decisions.filter(({ decision }) => decision === 'message.accepted'))
          },
        })),
    },
  },
]

/** What counts as late for the bug of that name. */
const LATE_MS = 2000

/** In milliseconds of the machine, under a clock that is twenty times as fast. */
const LONGER_THAN_A_LEASE_MS = 3_500

/** The transactions that decide whether messages may leave see something else of their recipients. */
function guardSees(store: Store, see: (state: LockedSubject['state']) => LockedSubject['state']): Store {
  return withTransactions(store, (tx) => {
    let isGuard = false
    const asGuard = <T>(deliveries: Promise<T>) => {
      isGuard = true
      return deliveries
    }
    return {
      claimDeliveries: (...claim) => asGuard(tx.claimDeliveries(...claim)),
      lockDeliveries: (claims) => asGuard(tx.lockDeliveries(claims)),
      lockSubjects: async (...asked) => {
        const locked = await tx.lockSubjects(...asked)
        return isGuard ? locked.map((one) => ({ ...one, state: see(one.state) })) : locked
      },
    }
  })
}

/** What is counted for a policy looks otherwise. */
function tallySees(store: Store, policy: string, see: (tally: Tally) => Partial<Tally>): Store {
  return withTransactions(store, (tx) => ({
    lockTallies: async (counters) =>
      (await tx.lockTallies(counters)).map((one) =>
        one.counter.split('/')[0] === policy ? { ...one, ...see(one) } : one,
      ),
  }))
}

/** It is forgotten which messages may yet tell the code of a coupon. */
function withNothingOpen(subject: SavedSubject): SavedSubject {
  const untold = subject.state.untold.map((one) => ({ ...one, open: [] }))
  return { ...subject, state: { ...subject.state, untold } }
}

function asReserved(delivery: Delivery): Delivery {
  return delivery.state === 'unknown' ? { ...delivery, state: 'reserved' } : delivery
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
