import { consoleChannel } from '@linli/adapters/console'
import { createEngine, loadPack } from '@linli/core'

const engine = await createEngine({
  rules: await loadPack(`${import.meta.dirname}/rules`),
  channels: [consoleChannel()],
  database: 'memory', // embedded PostgreSQL; later './data' or 'postgres://…'
})
const order = (messageId: string, category: string) => {
  const properties = { items: [{ category, quantity: 1 }] }
  return { event: 'order_paid', userId: 'u1', messageId, properties }
}

await engine.ingest([
  { type: 'identify', userId: 'u1', messageId: 'm1', traits: { name: '周慧芳' } },
  ...[order('m2', 'organic_vegetable'), order('m3', 'organic_vegetable'), order('m4', 'organic_vegetable')],
])
await engine.settle() // does what is due now; a server calls engine.start() once
console.log('tags:', (await engine.subject('user', 'u1'))?.tags)

await engine.ingest([order('m5', 'fruit')])
console.log('tags:', (await engine.subject('user', 'u1'))?.tags)
await engine.close()
