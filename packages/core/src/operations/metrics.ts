import type { Counter, Meter, ObservableResult } from '@opentelemetry/api'
import type { IngestReport } from '../ingest/event.js'
import type { DeliveryState, Store, StoreTransaction } from '../ports/store.js'
import type { ReceiptReport } from '../receipts/receipt.js'
import type { Health } from './health.js'

/** What OpenTelemetry is told. No attribute is about a person. */
export interface Metrics {
  /** Counts what was taken in. */
  ingested(report: IngestReport): void
  /** Counts receipts that were handed in; those that were refused by why. */
  received(report: ReceiptReport): void
  /** A store that counts decisions and what becomes of deliveries, once they are committed. */
  measured(store: Store): Store
  /** Tells how late work is, whenever somebody collects. Gives what ends that. */
  observe(health: () => Promise<Health>): () => void
}

/** States that a delivery comes to, or waits in. The others are passed through in a moment. */
const TOLD: ReadonlySet<DeliveryState> = new Set<DeliveryState>([
  'accepted',
  'rejected',
  'failed',
  'retry_at',
  'unknown',
  'parked',
  'suppressed',
  'awaiting_person',
  'paused',
])

/** Metrics by OpenTelemetry; undefined where `@opentelemetry/api` is not installed. */
export async function openMetrics(): Promise<Metrics | undefined> {
  const api = await import('@opentelemetry/api').catch(() => undefined)
  return api && metricsBy(api.metrics.getMeter('linli'))
}

export function metricsBy(meter: Pick<Meter, 'createCounter' | 'createObservableGauge'>): Metrics {
  const events = meter.createCounter('linli.events', { description: 'Events, by result' })
  const receipts = meter.createCounter('linli.receipts', {
    description: 'Receipts, by result and why they were refused',
  })
  const decisions = meter.createCounter('linli.decisions', { description: 'Decisions, by kind' })
  const deliveries = meter.createCounter('linli.deliveries', {
    description: 'Deliveries that came to a state, by state, kind and channel',
  })
  const late = meter.createObservableGauge('linli.due.late', {
    unit: 'ms',
    description: 'How long what is due first has been due, by line',
  })
  return {
    ingested({ accepted, duplicates, rejected }) {
      events.add(accepted, { result: 'accepted' })
      events.add(duplicates, { result: 'duplicate' })
      events.add(rejected, { result: 'rejected' })
    },
    received({ results }) {
      for (const one of results) {
        receipts.add(1, { result: one.status, ...(one.status === 'rejected' && { code: one.code }) })
      }
    },
    measured: (store) => measured(store, decisions, deliveries),
    observe(health) {
      const tell = async (result: ObservableResult) => {
        for (const { line, lateMs = 0 } of (await health()).due) result.observe(lateMs, { line })
      }
      late.addCallback(tell)
      return () => late.removeCallback(tell)
    },
  }
}

function measured(store: Store, decisions: Counter, deliveries: Counter): Store {
  const transaction: Store['transaction'] = async (work) => {
    let counted: (() => void)[] = []
    const result = await store.transaction((tx) => {
      // Run again, it begins anew.
      counted = []
      return work(
        overlay<StoreTransaction>(tx, {
          addDecisions(added) {
            for (const { decision } of added) counted.push(() => decisions.add(1, { decision }))
            return tx.addDecisions(added)
          },
          saveDeliveries(saved) {
            for (const { state, kind, body } of saved) {
              const attributes = { state, kind, ...(body.channel !== undefined && { channel: body.channel }) }
              if (TOLD.has(state)) counted.push(() => deliveries.add(1, attributes))
            }
            return tx.saveDeliveries(saved)
          },
        }),
      )
    })
    for (const count of counted) count()
    return result
  }
  return overlay<Store>(store, { transaction })
}

/** An object that answers by its own methods first, and by the original's where it has none. */
function overlay<T extends object>(original: T, own: Partial<T>): T {
  return new Proxy(original, {
    get(target, name) {
      const source = Object.hasOwn(own, name) ? own : target
      const value: unknown = Reflect.get(source, name, source)
      return typeof value === 'function' ? value.bind(source) : value
    },
  })
}
