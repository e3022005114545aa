import { createServer, type Server } from 'node:http'
import { favorCoupons, WechatPay } from '@linli/adapters/wechat-pay'
import { nodeListener, wechatPaySource } from '@linli/adapters/wechat-pay-notices'
import { createEngine, type Engine, loadPack } from '@linli/core'

/** An engine that gives coupons of WeChat Pay, and a server that hears who paid and which coupons were used. */
export async function startShop(rules: string, baseUrl?: string): Promise<{ engine: Engine; notices: Server }> {
  const platformKeys = [
    { id: process.env['WECHAT_PAY_PUBLIC_KEY_ID'] ?? '', publicKey: process.env['WECHAT_PAY_PUBLIC_KEY'] ?? '' },
  ]
  const pay = new WechatPay({
    mchId: process.env['WECHAT_PAY_MCH_ID'] ?? '',
    serialNo: process.env['WECHAT_PAY_SERIAL_NO'] ?? '',
    privateKey: process.env['WECHAT_PAY_PRIVATE_KEY'] ?? '',
    platformKeys,
    ...(baseUrl !== undefined && { baseUrl }),
  })
  const engine = await createEngine({
    rules: await loadPack(rules),
    channels: [],
    issuers: [favorCoupons({ pay, appId: process.env['WECHAT_APP_ID'] ?? '' })],
    identifiers: ['openid'],
    database: process.env['DATABASE_URL'] ?? 'memory',
  })
  const source = wechatPaySource({ engine, platformKeys, apiV3Key: process.env['WECHAT_PAY_API_V3_KEY'] ?? '' })
  return { engine, notices: createServer(nodeListener(source)) }
}
