import type { Channel } from '../../ports/channel.js'
import type { Store, StoreTransaction } from '../../ports/store.js'
import { delegate } from '../delegate.js'

/**
 * A place at which a process may be made to end or to stand still: before or after a step of a transaction, its commit, or a
 * call of a channel. `addEvents:before`, `commit:after`, `send:after`.
 */
export type Failpoint = `${string}:${'before' | 'after'}`

/** Told of each failpoint as it is reached; what it does is done there. */
export type OnFailpoint = (point: Failpoint) => void | Promise<void>

/** A store that tells of each step of its transactions. What it does is the store's own. */
export function withFailpoints(store: Store, reach: OnFailpoint): Store {
  return delegate(store, {
    transaction: async (work) => {
      await reach('transaction:before')
      const result = await store.transaction(async (tx) => {
        const value = await work(stepByStep(tx, reach))
        await reach('commit:before')
        return value
      })
      await reach('commit:after')
      return result
    },
  })
}

/** A channel that tells of each call. */
export function channelWithFailpoints(channel: Channel, reach: OnFailpoint): Channel {
  return delegate(channel, {
    send: async (message, context) => {
      await reach('send:before')
      const result = await channel.send(message, context)
      await reach('send:after')
      return result
    },
  })
}

/** What a process does at a failpoint: the `hit`th time that it comes there. */
export interface FailpointPlan {
  readonly point: Failpoint
  /** From 1. */
  readonly hit: number
  /** `crash`: SIGKILL, as when the power fails. `stop`: SIGSTOP, until somebody sends SIGCONT. */
  readonly does: 'crash' | 'stop'
}

/** Ends or stops this very process by plan. `onReach` is told of each point. */
export function failAt(plan: FailpointPlan | undefined, onReach?: (point: Failpoint) => void): OnFailpoint {
  let hits = 0
  return (point) => {
    onReach?.(point)
    if (point !== plan?.point || ++hits !== plan.hit) return
    process.kill(process.pid, plan.does === 'crash' ? 'SIGKILL' : 'SIGSTOP')
    // The signal is on its way; nothing more must happen until it is here.
    return new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function stepByStep(tx: StoreTransaction, reach: OnFailpoint): StoreTransaction {
  return new Proxy(tx, {
    get: (target, name) => {
      const step: unknown = Reflect.get(target, name, target)
      if (typeof step !== 'function' || typeof name !== 'string') return step
      return async (...parameters: unknown[]) => {
        await reach(`${name}:before`)
        const result: unknown = await step.apply(target, parameters)
        await reach(`${name}:after`)
        return result
      }
    },
  })
}
