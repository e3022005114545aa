import { consoleChannel } from '@linli/adapters/console'
import { createEngine, loadPack } from '@linli/core'
import { createService } from './service.js'

const engine = await createEngine({
  rules: await loadPack(process.env['RULES'] ?? 'rules'),
  channels: [consoleChannel({ name: 'wechat-miniprogram' }), consoleChannel({ name: 'sms' })],
  database: process.env['DATABASE_URL'] ?? './data', // a folder, or postgres://…
})
engine.start()

const server = createService(engine)
server.listen(Number(process.env['PORT'] ?? 8080), () => console.log('listening on', server.address()))

for (const signal of ['SIGTERM', 'SIGINT']) {
  // First no new requests, then the work under way, then the database.
  process.once(signal, () => server.close(() => engine.close()))
}
