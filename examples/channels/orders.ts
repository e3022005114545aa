import { createServer, type Server } from 'node:http'
import { jsonSource, nodeListener } from '@linli/adapters/json'
import type { Engine } from '@linli/core'

/** How the orders of the shop's system become events. It may as well be a file. */
const ORDERS = {
  source: 'orders',
  name: '/event',
  id: '/order/no',
  user: '/buyer/id',
  identifiers: { openid: '/buyer/openid' },
  at: '/time',
  community: '/leader/group',
  properties: {
    orderId: '/order/no',
    total: { from: '/order/amount', as: 'fen' },
    items: {
      each: '/order/items',
      properties: { sku: '/sku', category: '/type', price: { from: '/price', as: 'fen' } },
    },
  },
  events: {
    RefundOrder: { id: ['/order/no', '/refund/no'] },
    DaoHuo: { event: 'order_arrived' },
    Heartbeat: false,
  },
}

/** Takes in what the order system posts, signed by HMAC-SHA256 over the body. */
export function createOrderInlet(engine: Pick<Engine, 'ingest'>, secret: string): Server {
  const auth = { kind: 'hmac', header: 'x-signature', secret } as const
  return createServer(nodeListener(jsonSource({ engine, map: ORDERS, auth })))
}
