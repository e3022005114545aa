import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEngine, definePack, type Engine, UnsubscribeTokens } from '@linli/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createUnsubscribePage } from './unsubscribe.js'

const tokens = new UnsubscribeTokens(randomBytes(32).toString('base64'))
let engine: Engine
let server: Server
let page: string

beforeAll(async () => {
  engine = await createEngine({ rules: definePack([]), unsubscribe: tokens })
  server = createUnsubscribePage(engine, tokens).listen(0, '127.0.0.1')
  await once(server, 'listening')
  page = `http://127.0.0.1:${(server.address() as AddressInfo).port}/unsubscribe?t=`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await engine.close()
})

const consentOf = async (id: string) => (await engine.subject('user', id))?.consent
const linkOf = (userId: string) => page + tokens.tokenFor({ userId, channel: 'sms', class: 'promotion' })

describe('the page behind an unsubscribe link', () => {
  it('changes nothing when it is looked at, however that is done', async () => {
    for (const method of ['GET', 'HEAD']) expect((await fetch(linkOf('u1'), { method })).status).toBe(200)
    expect(await consentOf('u1')).toBeUndefined()
  })

  it('unsubscribes by its button, and by the one click of a mail program', async () => {
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
    expect(await (await fetch(linkOf('u2'), { method: 'POST' })).text()).toContain('已退订')
    expect((await fetch(linkOf('u2'), { method: 'POST', body })).status).toBe(200)
    expect(await consentOf('u2')).toEqual({ 'sms|promotion': false })
    expect(await consentOf('u1')).toBeUndefined()
  })

  it('is not there for a token of somebody else', async () => {
    for (const token of ['', 'x.y', 'x'.repeat(3_000)]) {
      expect((await fetch(page + token, { method: 'POST' })).status).toBe(404)
      expect((await fetch(page + token)).status).toBe(404)
    }
  })
})
