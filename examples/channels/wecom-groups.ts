import type { WecomCorp } from '@linli/adapters/wecom'
import { fastifyRoute, type GroupMembers, wecomGroups, wecomSource } from '@linli/adapters/wecom-callbacks'
import type { Engine } from '@linli/core'
import Fastify, { type FastifyInstance } from 'fastify'

/** Takes WeCom's callbacks at `/wecom`; who joins and leaves customer groups is found by looking at them. */
export function wecomCallbacks(
  engine: Pick<Engine, 'ingest'>,
  corp: WecomCorp,
  members: GroupMembers,
): FastifyInstance {
  const groups = wecomGroups({ corp, engine, members, onError: console.error })
  const keys = {
    token: process.env['WECOM_TOKEN'] ?? '',
    encodingAesKey: process.env['WECOM_AES_KEY'] ?? '',
    receiveId: process.env['WECOM_CORP_ID'] ?? '',
  }
  const source = wecomSource({ engine, keys, groups, onError: console.error })
  const app = Fastify()
  app.register((routes, _options, done) => {
    // The source reads the body itself.
    routes.removeAllContentTypeParsers()
    routes.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
    routes.route({ method: ['GET', 'POST'], url: '/wecom', handler: fastifyRoute(source) })
    done()
  })
  app.addHook('onClose', async () => {
    await groups.settled()
    await groups.close()
  })
  return app
}
