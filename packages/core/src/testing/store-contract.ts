import type { Store } from '../ports/store.js'
import type { ContractCase } from './channel-contract.js'
import { baselineChecks } from './store-checks/baselines.js'
import { callChecks } from './store-checks/calls.js'
import { couponChecks } from './store-checks/coupons.js'
import { deliveryChecks } from './store-checks/deliveries.js'
import { erasureChecks } from './store-checks/erasure.js'
import { eventChecks } from './store-checks/events.js'
import { logChecks } from './store-checks/log.js'
import { mergeChecks } from './store-checks/merges.js'
import { poolChecks } from './store-checks/pools.js'
import { subjectChecks } from './store-checks/subjects.js'
import { tallyChecks } from './store-checks/tallies.js'
import { transactionChecks } from './store-checks/transactions.js'
import { versionChecks } from './store-checks/versions.js'

export interface StoreContractOptions {
  /**
   * Makes the store under test, without content. Called once for each check; the check migrates it first and closes it
   * at the end.
   */
  create(): Store | Promise<Store>
}

/**
 * The promises of a `Store` as checks for any test runner. Promises about transactions that run at once are checked
 * where `concurrency` is at least 2.
 *
 * @example
 * describe('my store keeps the contract', () => {
 *   for (const { title, run } of storeContract({ create })) it(title, run)
 * })
 */
export function storeContract(options: StoreContractOptions): readonly ContractCase[] {
  const checks = [
    ...transactionChecks,
    ...eventChecks,
    ...subjectChecks,
    ...logChecks,
    ...mergeChecks,
    ...deliveryChecks,
    ...callChecks,
    ...couponChecks,
    ...poolChecks,
    ...tallyChecks,
    ...versionChecks,
    ...baselineChecks,
    ...erasureChecks,
  ]
  return checks.map(([title, check]) => ({
    title,
    run: async () => {
      const store = await options.create()
      try {
        await store.migrate()
        await check(store)
      } finally {
        await store.close()
      }
    },
  }))
}
