import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { startFakeSmtp } from '@linli/adapters/testing'
import { UnsubscribeTokens } from '@linli/core'
import { checkPack } from '@linli/rules'
import { expect, it } from 'vitest'
import { createUnsubscribePage } from '../embed/unsubscribe.js'
import { startShop } from './email.js'

const RULES = fileURLToPath(new URL('email-rules', import.meta.url))

it('one click in a mail program ends the promotions of this channel, and nothing else', async () => {
  const smtp = await startFakeSmtp()
  const tokens = new UnsubscribeTokens(randomBytes(32).toString('base64'))
  const engine = await startShop(RULES, tokens, { host: smtp.host, port: smtp.port, tls: 'none' })
  const page = createUnsubscribePage(engine, tokens).listen(0, '127.0.0.1')
  await once(page, 'listening')
  const looks = (messageId: string) => ({ event: 'product_viewed', messageId, userId: 'u1' })
  await engine.ingest([
    { type: 'identify', messageId: 'm1', userId: 'u1', traits: { email: 'wang@example.net' } },
    { event: 'consent_granted', messageId: 'm2', userId: 'u1', properties: { class: 'promotion' } },
    looks('m3'),
  ])
  await engine.settle()
  const headers = smtp.messages[0]?.headers ?? {}
  expect(headers['list-unsubscribe-post']).toBe('List-Unsubscribe=One-Click')

  // What a mail program posts to the link of the header (RFC 8058), here to this machine.
  const link = new URL((headers['list-unsubscribe'] ?? '').slice(1, -1))
  const local = new URL(link.pathname + link.search, `http://127.0.0.1:${(page.address() as AddressInfo).port}`)
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
  expect((await fetch(local, { method: 'POST', body })).status).toBe(200)
  expect((await engine.subject('user', 'u1'))?.consent).toMatchObject({ 'email|promotion': false })

  await engine.ingest([looks('m4')])
  await engine.settle()
  expect(smtp.messages).toHaveLength(1)
  expect((await engine.decisions()).find(({ decision }) => decision === 'message.suppressed')).toMatchObject({
    reason: 'opted out',
  })
  page.closeAllConnections()
  page.close()
  await engine.close()
  await smtp.close()
})

it('the rules have no warning', async () => {
  expect((await checkPack([RULES], { channels: ['email'] })).problems).toEqual([])
})
