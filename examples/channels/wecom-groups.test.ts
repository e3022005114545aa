import { startFakeWecom } from '@linli/adapters/testing'
import { WecomCorp } from '@linli/adapters/wecom'
import { memoryGroupMembers } from '@linli/adapters/wecom-callbacks'
import { createEngine, definePack } from '@linli/core'
import { expect, it, vi } from 'vitest'
import { wecomCallbacks } from './wecom-groups.js'

it('who joins a group gets a tag', async () => {
  const wecom = await startFakeWecom()
  const keys = { token: 'token', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' }
  vi.stubEnv('WECOM_TOKEN', keys.token)
  vi.stubEnv('WECOM_AES_KEY', keys.encodingAesKey)
  vi.stubEnv('WECOM_CORP_ID', wecom.corpId)
  const joined = { fact: 'eventCount', operator: 'equal', value: 1, params: { event: 'member_joined' } }
  const rules = definePack([{ kind: 'tag', id: 'in-a-group', conditions: joined }])
  const engine = await createEngine({ rules, channels: [], database: 'memory', identifiers: ['externalUserId'] })
  const corp = new WecomCorp({ corpId: wecom.corpId, secret: wecom.secret, baseUrl: wecom.url })
  const app = wecomCallbacks(engine, corp, memoryGroupMembers())
  vi.unstubAllEnvs()

  const url = `${await app.listen()}/wecom`
  const now = Math.floor(Date.now() / 1000)
  const versions = wecom.setGroup('wr-1', [{ userid: 'wm-1', join_time: now - 5 }])
  const fields = { Event: 'change_external_chat', ChangeType: 'create', ChatId: 'wr-1', CreateTime: now, ...versions }
  expect((await wecom.post(url, fields, keys)).status).toBe(200)
  expect((await wecom.post(url, fields, { ...keys, token: 'other' })).status).toBe(401)
  await app.close()

  const subject = await engine.subject('user', 'id:externalUserId:wm-1')
  expect([...(subject?.tags ?? [])]).toEqual(['in-a-group'])
  await engine.close()
  await wecom.close()
})
