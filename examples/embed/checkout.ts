import type { Engine } from '@linli/core'
import type { Kysely } from 'kysely'

export interface ShopTables {
  readonly shop_order: { readonly id: string; readonly customer: string; readonly total: number }
}

export interface PaidOrder {
  readonly id: string
  readonly customer: string
  readonly total: number
  readonly items: readonly { readonly category: string; readonly quantity: number }[]
}

/** Writes a paid order down and tells linli of it, in one transaction: both are kept, or neither. */
export async function recordPayment(db: Kysely<ShopTables>, engine: Engine, order: PaidOrder): Promise<void> {
  const { id, customer, total, items } = order
  await db.transaction().execute(async (trx) => {
    await trx.insertInto('shop_order').values({ id, customer, total }).execute()
    const properties = { orderId: id, total, items }
    const event = { event: 'order_paid', messageId: `order_paid/${id}`, userId: customer, properties }
    const { results } = await engine.ingest([event], { trx })
    if (results[0]?.status === 'rejected') throw new Error(`linli refused the event: ${results[0].message}`)
  })
}
