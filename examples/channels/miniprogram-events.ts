import type { ConsentLedger } from '@linli/adapters/wechat-miniprogram'
import { miniProgramSource } from '@linli/adapters/wechat-miniprogram-events'
import type { Engine } from '@linli/core'
import { Hono } from 'hono'

/** Takes in what WeChat pushes about the messages of a mini-program, at `/wechat`. The ledger is the channel's. */
export function miniProgramEvents(engine: Pick<Engine, 'ingest' | 'receive'>, ledger: ConsentLedger): Hono {
  const source = miniProgramSource({
    engine,
    ledger,
    token: process.env['WECHAT_PUSH_TOKEN'] ?? '',
    encryption: {
      encodingAesKey: process.env['WECHAT_PUSH_AES_KEY'] ?? '',
      appId: process.env['WECHAT_APP_ID'] ?? '',
    },
    onError: console.error,
  })
  return new Hono().all('/wechat', (c) => source(c.req.raw))
}
