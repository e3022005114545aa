import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type FakeWechatPay, startFakeWechatPay } from '@linli/adapters/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { startShop } from './wechat-pay.js'

const RULES = fileURLToPath(new URL('wechat-pay-rules', import.meta.url))
let fake: FakeWechatPay
beforeAll(async () => {
  fake = await startFakeWechatPay()
  const [key] = fake.platformKeys
  vi.stubEnv('WECHAT_PAY_PUBLIC_KEY_ID', key?.id)
  vi.stubEnv('WECHAT_PAY_PUBLIC_KEY', key?.publicKey)
  vi.stubEnv('WECHAT_PAY_MCH_ID', fake.merchant.mchId)
  vi.stubEnv('WECHAT_PAY_SERIAL_NO', fake.merchant.serialNo)
  vi.stubEnv('WECHAT_PAY_PRIVATE_KEY', fake.merchant.privateKey)
  vi.stubEnv('WECHAT_PAY_API_V3_KEY', fake.apiV3Key)
  vi.stubEnv('WECHAT_APP_ID', fake.appId)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await fake.close()
})

it('who pays gets a coupon of WeChat Pay, and who uses it has reached the goal', async () => {
  const { engine, notices } = await startShop(RULES, fake.url)
  await new Promise<void>((resolve) => notices.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(notices.address() as AddressInfo).port}/wechat-pay`
  const openid = 'o-of-wang'
  const context = { externalIds: [{ type: 'openid', id: openid }] }
  await engine.ingest([{ type: 'identify', messageId: 'm-0', userId: 'wang', traits: { openid }, context }])

  const payment = {
    transaction_id: '4200000001',
    out_trade_no: 'order-1007',
    trade_state: 'SUCCESS',
    success_time: new Date().toISOString(),
    payer: { openid },
    amount: { total: 2999, payer_total: 2999, currency: 'CNY' },
  }
  for (const id of ['EV-1', 'EV-1']) {
    expect((await fetch(fake.notice('TRANSACTION.SUCCESS', payment, url, { id }))).status).toBe(200)
  }
  await engine.settle()
  expect(fake.coupons).toMatchObject([{ openid, stockId: '9865000' }])
  const code = fake.coupons[0]?.couponId ?? ''
  await expect(engine.coupon(code)).resolves.toMatchObject({ subject: ['user', 'wang'], status: 'valid' })

  expect((await fetch(fake.use(code, '4200000002', url))).status).toBe(200)
  await engine.settle()
  await expect(engine.coupon(code)).resolves.toMatchObject({ status: 'redeemed', by: '4200000002' })
  const decisions = (await engine.decisions()).map(({ decision }) => decision)
  expect(decisions.filter((one) => one === 'coupon.issued')).toHaveLength(1)
  expect(decisions.filter((one) => one === 'journey.goal')).toHaveLength(1)
  notices.closeAllConnections()
  notices.close()
  await engine.close()
})
