import {
  MiniProgram,
  postgresLedger,
  recordConsents,
  subscribeMessageChannel,
} from '@linli/adapters/wechat-miniprogram'
import type { Channel } from '@linli/core'
import type { Pool } from 'pg'

/** The channel of a shop's mini-program, and what its backend calls when somebody has answered the question. */
export function miniProgram(pool: Pool, baseUrl?: string) {
  const app = new MiniProgram({
    appId: process.env['WECHAT_APP_ID'] ?? '',
    secret: process.env['WECHAT_APP_SECRET'] ?? '',
    ...(baseUrl !== undefined && { baseUrl }),
  })
  const ledger = postgresLedger(pool)
  const channel: Channel = subscribeMessageChannel({ app, ledger })
  return {
    channel,
    /** `results`: what `wx.requestSubscribeMessage` gave, of whoever is logged in with this openid. */
    answered: (openid: string, results: Record<string, unknown>) => recordConsents(ledger, openid, results),
  }
}
