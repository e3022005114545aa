import type { Store, StoreTransaction } from '../src/ports/store.js'
import { delegate } from '../src/testing/delegate.js'

/** A store whose transactions see the methods that `change` gives; all else is the store's own. */
export function withTransactions(store: Store, change: (tx: StoreTransaction) => Partial<StoreTransaction>): Store {
  return delegate<Store>(store, {
    transaction: (work) => store.transaction((tx) => work(delegate(tx, change(tx)))),
  })
}

/** What a process sees when its end has come. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

export interface CrashPlan {
  /** The number of the transaction at which the process ends, from 1. */
  readonly transaction: number
  /** Whether that one is still committed. */
  readonly commits: boolean
}

/** A store as one process sees it: after its last transaction nothing gets through. Closing it closes nothing. */
export function seenByProcess(store: Store, plan?: CrashPlan): { readonly store: Store; transactions(): number } {
  let transactions = 0
  const isOver = () => plan !== undefined && transactions >= plan.transaction
  const seen = delegate<Store>(store, {
    migrate: () => Promise.resolve(),
    close: () => Promise.resolve(),
    async transaction(work) {
      if (isOver()) throw new Crash('the process has ended')
      transactions += 1
      if (!isOver()) return store.transaction(work)
      await store
        .transaction(async (tx) => {
          await work(tx)
          if (plan?.commits === false) throw new Crash('before the commit')
        })
        .catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error
        })
      throw new Crash('at the commit')
    },
  })
  return { store: seen, transactions: () => transactions }
}
