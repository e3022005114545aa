import { fileURLToPath } from 'node:url'
import { type FakeWecom, startFakeWecom } from '@linli/adapters/testing'
import { groupSendReceipts, WecomCorp } from '@linli/adapters/wecom'
import type { Receipt } from '@linli/core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { startShop } from './wecom.js'

let wecom: FakeWecom
beforeAll(async () => {
  wecom = await startFakeWecom()
  vi.stubEnv('WECOM_CORP_ID', wecom.corpId)
  vi.stubEnv('WECOM_SECRET', wecom.secret)
  vi.stubEnv('WECOM_AGENT_ID', '1000002')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await wecom.close()
})

it('members see the tag of a customer, confirm one task for all, and receipts follow', async () => {
  const engine = await startShop(fileURLToPath(new URL('wecom-rules', import.meta.url)), wecom.url)
  const traits = (id: string) => ({ externalUserId: `wm-${id}`, wecomSender: 'wang' })
  const people = ['a', 'b', 'c']
  const events = people.flatMap((userId) => [
    { type: 'identify' as const, messageId: `${userId}-0`, userId, traits: traits(userId) },
    { event: 'consent_granted', messageId: `${userId}-c`, userId, properties: { purpose: 'promotion' } },
    ...[1, 2, 3].map((n) => ({ event: 'order_paid', messageId: `${userId}-${n}`, userId })),
  ])
  await engine.ingest(events)
  await engine.settle()

  for (const id of people) expect(wecom.tagsOf('wang', `wm-${id}`)).toEqual(['常买蔬菜'])
  const tasks = wecom.taken.filter(({ path }) => path.endsWith('add_msg_template'))
  expect(tasks).toHaveLength(1)
  expect(tasks[0]?.body).toMatchObject({ sender: 'wang' })
  expect(new Set(tasks[0]?.body['external_userid'] as string[])).toEqual(new Set(['wm-a', 'wm-b', 'wm-c']))

  const msgid = `task-${wecom.taken.indexOf(tasks[0] as never) + 1}`
  wecom.settle(msgid, 'wm-a', 1)
  const corp = new WecomCorp({ corpId: wecom.corpId, secret: wecom.secret, baseUrl: wecom.url })
  const receipts: Receipt[] = []
  for await (const receipt of groupSendReceipts({ corp, msgid })) receipts.push(receipt)
  await expect(engine.receive(receipts)).resolves.toMatchObject({ accepted: 1, rejected: 0 })
  const decisions = (await engine.decisions()).map(({ decision }) => decision)
  expect(decisions.filter((one) => one === 'message.delivered')).toHaveLength(1)
  await engine.close()
})
