import { createServer, type Server } from 'node:http'
import { nodeListener, segmentSource } from '@linli/adapters/segment'
import { sensorsSource } from '@linli/adapters/sensors'
import type { Engine } from '@linli/core'

/** Takes in what a mini-program's SDK of Sensors sends to `/sa`, and what Segment's libraries send to `/v1/…`. */
export function createCollector(engine: Pick<Engine, 'ingest'>, writeKey: string): Server {
  const sensors = nodeListener(
    sensorsSource({
      engine,
      names: { JieLong: 'group_buy_joined', $MPHide: false },
      properties: { product_id: 'sku', product_name: 'productName', order_amount: 'total' },
    }),
  )
  const segment = nodeListener(segmentSource({ engine, writeKeys: [writeKey] }))
  return createServer((request, response) => {
    if (request.url?.startsWith('/sa')) sensors(request, response)
    else segment(request, response)
  })
}
