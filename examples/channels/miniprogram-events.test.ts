import { callbackRequest } from '@linli/adapters/testing'
import { memoryLedger } from '@linli/adapters/wechat-miniprogram'
import { createEngine, definePack } from '@linli/core'
import { expect, it, vi } from 'vitest'
import { miniProgramEvents } from './miniprogram-events.js'

it('who allows a message is counted, and a tag follows', async () => {
  const keys = { token: 'token', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C', receiveId: 'wx-1' }
  vi.stubEnv('WECHAT_PUSH_TOKEN', keys.token)
  vi.stubEnv('WECHAT_PUSH_AES_KEY', keys.encodingAesKey)
  vi.stubEnv('WECHAT_APP_ID', keys.receiveId)
  const conditions = { fact: 'eventCount', operator: 'equal', value: 1, params: { event: 'subscribe_accepted' } }
  const rules = definePack([{ kind: 'tag', id: 'wants-news', conditions }])
  const engine = await createEngine({ rules, channels: [], database: 'memory', identifiers: ['openid'] })
  const ledger = memoryLedger()
  const app = miniProgramEvents(engine, ledger)
  vi.unstubAllEnvs()

  const list = { TemplateId: 't-1', SubscribeStatusString: 'accept', PopupScene: '0' }
  const seconds = Math.floor(Date.now() / 1000)
  const fields = { FromUserName: 'o-1', CreateTime: seconds, Event: 'subscribe_msg_popup_event', List: list }
  for (let times = 0; times < 2; times++) {
    const response = await app.request(callbackRequest('http://shop/wechat', fields, { ...keys, format: 'json' }))
    expect(await response.text()).toBe('success')
  }
  const subject = await engine.subject('user', 'id:openid:o-1')
  expect([...(subject?.tags ?? [])]).toEqual(['wants-news'])
  expect(await ledger.take({ openid: 'o-1', templateId: 't-1' })).toBe(true)
  expect(await ledger.take({ openid: 'o-1', templateId: 't-1' })).toBe(false)
  await engine.close()
})
