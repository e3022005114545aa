import { createEngine, definePack } from '@linli/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { listeningEngine } from '../../../testing/sources.js'
import { CallbackCrypt, NotVerified, wecomSource } from './index.js'

/** Key and token that WeCom's sample code publishes. */
const KEYS = {
  token: 'QDG6eK',
  encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
  receiveId: 'wx5823bf96d3bd56c7',
}
const ECHO = {
  timestamp: '1409659589',
  nonce: '263014780',
  signature: '5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3',
  encrypted: 'P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==',
  random: Buffer.from('c41b64491c2468d0'),
  plain: '1616140317555161061',
}
const MESSAGE = {
  timestamp: '1409659813',
  nonce: '1372623149',
  signature: '477715d11cdb4164915debcba66cb864d751f3e6',
  encrypted:
    'RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==',
  random: Buffer.from('0960688932c47ef1'),
}
const crypt = new CallbackCrypt(KEYS)
const opened = ({ signature, timestamp, nonce, encrypted }: typeof ECHO | typeof MESSAGE) =>
  crypt.open(signature, timestamp, nonce, encrypted)

describe('the published vectors of WXBizMsgCrypt', () => {
  it.each([ECHO, MESSAGE])('are signed, opened and sealed again, byte for byte', (vector) => {
    expect(crypt.sign(vector.timestamp, vector.nonce, vector.encrypted)).toBe(vector.signature)
    expect(crypt.seal(opened(vector), vector.random)).toBe(vector.encrypted)
  })

  it('say what they say', () => {
    expect(opened(ECHO)).toBe(ECHO.plain)
    expect(opened(MESSAGE)).toContain('<Content><![CDATA[hello]]></Content>')
  })
})

describe('what is encrypted', () => {
  it('comes back, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encrypted = crypt.seal(text)
        expect(crypt.open(crypt.sign('1', '2', encrypted), '1', '2', encrypted)).toBe(text)
      }),
    )
  })

  it('is refused with another signature, for another company, and as rubbish', () => {
    const other = new CallbackCrypt({ ...KEYS, receiveId: 'ww-other' }).seal('x')
    expect(() => crypt.open('0'.repeat(40), '1', '2', other)).toThrow(NotVerified)
    expect(() => crypt.open(crypt.sign('1', '2', other), '1', '2', other)).toThrow(NotVerified)
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64')),
        ),
        (rubbish) => {
          expect(() => crypt.open(crypt.sign('1', '2', rubbish), '1', '2', rubbish)).toThrow(NotVerified)
        },
      ),
    )
  })

  it('needs a key of 43 characters', () => {
    expect(() => new CallbackCrypt({ ...KEYS, encodingAesKey: 'short' })).toThrow(
      expect.objectContaining({ code: 'wecom.option_invalid' }),
    )
  })
})

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function request(xml: string, method = 'POST'): Request {
  const encrypted = crypt.seal(xml)
  const query = new URLSearchParams({ msg_signature: crypt.sign('1', '2', encrypted), timestamp: '1', nonce: '2' })
  if (method === 'GET') query.set('echostr', encrypted)
  const body = `<xml><ToUserName><![CDATA[x]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt><AgentID>2</AgentID></xml>`
  return new Request(`http://x/wecom?${query}`, { method, ...(method === 'POST' && { body }) })
}
const change = (
  type: string,
  more = '',
) => `<xml><MsgType>event</MsgType><Event>change_external_contact</Event><ChangeType>${type}</ChangeType>
  <CreateTime>1700000000</CreateTime><UserID><![CDATA[wang]]></UserID><ExternalUserID>wm-1</ExternalUserID>${more}</xml>`

describe('the callbacks of WeCom', () => {
  it('answer the check of the address', async () => {
    const source = wecomSource({ engine: listeningEngine(), keys: KEYS })
    const response = await source(request('1616140317555161061', 'GET'))
    expect(await response.text()).toBe('1616140317555161061')
  })

  it('say who became a contact, and of whom: once, however often they come', async () => {
    const rules = definePack([])
    const identifiers = ['externalUserId']
    const engine = await createEngine({ rules, channels: [], database: 'memory', identifiers })
    closing.push(() => engine.close())
    const source = wecomSource({ engine, keys: KEYS })
    const added = change('add_external_contact', '<State>poster-7</State><WelcomeCode>w-1</WelcomeCode>')
    for (let times = 0; times < 2; times++) expect((await source(request(added))).status).toBe(200)
    expect(await engine.decisions()).toEqual([])
    const customer = await engine.subject('user', 'id:externalUserId:wm-1')
    expect(customer?.traits).toMatchObject({ externalUserId: 'wm-1', wecomSender: 'wang' })
  })

  it.each([
    ['add_external_contact', 'contact_added', { memberUserId: 'wang', state: 's' }],
    ['del_external_contact', 'contact_lost', { memberUserId: 'wang', by: 'member' }],
    ['del_follow_user', 'contact_lost', { memberUserId: 'wang', by: 'customer' }],
  ])('%s becomes %s', async (type, event, properties) => {
    const engine = listeningEngine()
    await wecomSource({ engine, keys: KEYS })(request(change(type, type.startsWith('add') ? '<State>s</State>' : '')))
    expect(engine.events.at(-1)).toMatchObject({
      event,
      properties,
      timestamp: new Date(1_700_000_000_000),
      context: { externalIds: [{ type: 'externalUserId', id: 'wm-1' }] },
    })
  })

  it('are told to the host, and its failure loses no event', async () => {
    const engine = listeningEngine()
    const [told, errors]: [unknown[], unknown[]] = [[], []]
    const onCallback = (callback: unknown) => {
      told.push(callback)
      throw new Error('no welcome')
    }
    const source = wecomSource({ engine, keys: KEYS, onCallback, onError: (error) => errors.push(error) })
    expect((await source(request(change('add_external_contact', '<WelcomeCode>w-1</WelcomeCode>')))).status).toBe(200)
    expect(told).toMatchObject([{ event: 'change_external_contact', fields: { WelcomeCode: 'w-1' } }])
    expect(errors).toHaveLength(1)
    expect(engine.events).toHaveLength(2)
  })

  it('of other kinds are told, and are no events', async () => {
    const engine = listeningEngine()
    const told: unknown[] = []
    const source = wecomSource({ engine, keys: KEYS, onCallback: (callback) => told.push(callback) })
    const chat =
      '<xml><Event>change_external_chat</Event><ChangeType>update</ChangeType><CreateTime>1700000000</CreateTime><ChatId>wr-1</ChatId></xml>'
    expect((await source(request(chat))).status).toBe(200)
    expect(told).toMatchObject([{ event: 'change_external_chat', change: 'update', fields: { ChatId: 'wr-1' } }])
    expect(engine.events).toEqual([])
  })

  it('that are not WeCom’s are refused, and those that cannot be taken in are asked for again', async () => {
    const engine = listeningEngine()
    const source = wecomSource({ engine, keys: KEYS })
    const forged = new Request('http://x/wecom?msg_signature=00&timestamp=1&nonce=2', {
      method: 'POST',
      body: '<xml><Encrypt>AAAA</Encrypt></xml>',
    })
    expect((await source(forged)).status).toBe(401)
    expect((await source(new Request('http://x/wecom', { method: 'POST', body: 'x'.repeat(300_000) }))).status).toBe(
      413,
    )
    expect((await source(new Request('http://x/wecom', { method: 'PUT', body: '' }))).status).toBe(405)
    engine.fail(true)
    expect((await source(request(change('add_external_contact')))).status).toBe(503)
  })

  it('have no entities of their own: what would blow up is not read', async () => {
    const bomb =
      '<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Event>&b;</Event><CreateTime>1700000000</CreateTime></xml>'
    const engine = listeningEngine()
    expect((await wecomSource({ engine, keys: KEYS })(request(bomb))).status).toBe(200)
    expect(engine.events).toEqual([])
  })
})
