import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type FakeAliyunSms, startFakeAliyunSms } from '@linli/adapters/testing'
import { createWorld } from '@linli/core/testing'
import { checkPack } from '@linli/rules'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createCallbackServer, startShop } from './sms.js'

const RULES = fileURLToPath(new URL('sms-rules', import.meta.url))
const SECRET = '0f1e2d3c4b5a69788796a5b4c3d2e1f0'
const PHONE = '+8613800000001'

const someone = [
  {
    ...{ type: 'identify' as const, messageId: 'm1', userId: 'u1', traits: { phone: PHONE } },
    context: { externalIds: [{ type: 'phone', id: PHONE }] },
  },
  { event: 'consent_granted', messageId: 'm2', userId: 'u1', properties: { class: 'promotion' } },
]
const looks = (messageId: string) => ({ event: 'product_viewed', messageId, userId: 'u1' })

describe('a shop that sends text messages', () => {
  let aliyun: FakeAliyunSms
  beforeAll(async () => {
    aliyun = await startFakeAliyunSms({ templates: { SMS_154950909: ['goods', 'time'], SMS_154950910: [] } })
    vi.stubEnv('ALIYUN_ACCESS_KEY_ID', aliyun.credentials.accessKeyId)
    vi.stubEnv('ALIYUN_ACCESS_KEY_SECRET', aliyun.credentials.accessKeySecret)
    vi.stubEnv('ALIYUN_CALLBACK_SECRET', SECRET)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await aliyun.close()
  })

  it('is told what became of them, and sends no more to who answers R', async () => {
    const engine = await startShop(RULES, aliyun.url)
    const server = createCallbackServer(engine).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const callback = `http://127.0.0.1:${(server.address() as AddressInfo).port}/aliyun/${SECRET}`
    const pays = { event: 'order_paid', userId: 'u1' }
    await engine.ingest([...someone, { ...pays, messageId: 'm3' }])
    await engine.settle()
    const [message] = aliyun.messages
    expect(message).toMatchObject({ phone: '13800000001', template: 'SMS_154950910' })
    expect(message && (await aliyun.report(callback, message))).toBe(200)
    expect((await engine.decisions()).map(({ decision }) => decision)).toContain('message.delivered')

    expect(await aliyun.reply(callback, '13800000001', 'r')).toBe(200)
    await engine.ingest([looks('m4'), { ...pays, messageId: 'm5' }])
    await engine.settle()
    expect(aliyun.messages.map(({ template }) => template)).toEqual(['SMS_154950910', 'SMS_154950910'])
    expect((await engine.subject('user', 'u1'))?.consent).toMatchObject({ 'aliyun-sms|promotion': false })
    // Whether it is night or day.
    expect(await engine.decisions()).toContainEqual(
      expect.objectContaining({ decision: 'message.suppressed', template: 'fruit-trial', reason: 'opted out' }),
    )
    server.closeAllConnections()
    server.close()
    await engine.close()
  })

  it('has rules without a warning', async () => {
    expect((await checkPack([RULES], { channels: ['aliyun-sms'] })).problems).toEqual([])
  })

  it.each([
    ['2026-03-01T21:59:00+08:00', '2026-03-01T21:59:00+08:00'],
    ['2026-03-01T22:00:00+08:00', '2026-03-02T08:00:00+08:00'],
    ['2026-03-02T07:59:00+08:00', '2026-03-02T08:00:00+08:00'],
  ])('tells nobody of fruit by night: what is due at %s leaves at %s', async (due, leaves) => {
    const world = await createWorld({ rules: RULES, now: due })
    await world.ingest(...someone, looks('m3'))
    if (due !== leaves) expect(world.sent).toEqual([])
    await world.advanceTo(new Date(Date.parse(leaves) - 1000) > new Date(due) ? Date.parse(leaves) - 1000 : due)
    if (due !== leaves) expect(world.sent).toEqual([])
    await world.advanceTo(leaves)
    expect(world.sent).toMatchObject([{ channel: 'aliyun-sms', content: { template: 'fruit-trial' } }])
    await world.close()
  })
})
