import { type AddressInfo, connect } from 'node:net'
import { createServer } from 'node:tls'
import { inspect } from 'node:util'
import { type Outbound, UnsubscribeTokens } from '@linli/core'
import { channelContract } from '@linli/core/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { selfSigned } from '../../../../../test/self-signed.js'
import { type FakeSmtp, type FakeSmtpFault, type FakeSmtpPoint, startFakeSmtp } from '../../testing/fake-smtp.js'
import { type EmailOptions, emailChannel, type SmtpOptions } from './channel.js'
import { escapeHtml, messageIdFor } from './message.js'

const PASSWORD = 'fake-smtp-password-canary'
const tokens = new UnsubscribeTokens('0123456789abcdef0123456789abcdef')
const unsubscribe = { tokens, page: 'https://shop.example.com/unsubscribe?t=' }
let smtp: FakeSmtp
beforeAll(async () => {
  smtp = await startFakeSmtp({ user: 'shop', password: PASSWORD })
})
afterAll(() => smtp.close())
beforeEach(() => {
  smtp.messages.length = 0
  smtp.lines.length = 0
  smtp.clear()
})

const server = (): SmtpOptions => {
  return { host: smtp.host, port: smtp.port, tls: 'none', user: 'shop', password: PASSWORD }
}
const channel = (options: Partial<EmailOptions> = {}) =>
  emailChannel({
    smtp: server(),
    from: { name: '邻里生鲜', address: 'hello@shop.example.com' },
    unsubscribe,
    ...options,
  })

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'email',
  class: 'promotion',
  to: { kind: 'user', id: 'u1', traits: { email: 'wang@example.net' } },
  content: { template: 'fruit-trial', title: '草莓到货了', body: '今晚 8 点截单\n.\n自提点：3 号楼' },
  source: { journey: 'new-fruit-trial', run: 'r1', step: 'tell' },
}
const context = (at = new Date()) => ({ attempt: 1, at, signal: new AbortController().signal })
const to = (traits: Record<string, unknown>) => ({ ...message, to: { ...message.to, traits } })
const saying = (content: Partial<Outbound['content']>) => ({ ...message, content: { ...message.content, ...content } })
// Who has said all they had to leave when they like.
const said = () => smtp.lines.filter((line) => line !== 'QUIT')
const textOf = (raw: string) => Buffer.from(raw.slice(raw.indexOf('\r\n\r\n')), 'base64').toString('utf8')

describe('e-mail keeps the contract', () => {
  const cases = channelContract({
    create: () => channel(),
    message,
    repeat: 'none',
    provider: {
      failNext: (when) => (when === 'before' ? smtp.next('data', 'reset') : smtp.next('content', 'take and reset')),
      refuseNext: () => smtp.next('rcpt', '550 5.1.1 Nobody'),
      deferNext: () => smtp.next('rcpt', '450 4.2.0 Later'),
      hangNext: () => smtp.next('content', 'take and hang'),
      hanging: () => smtp.hanging(),
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe('an e-mail', () => {
  it('has the title as its subject, and the body as its text', async () => {
    const at = new Date('2026-03-01T12:00:00+08:00')
    const messageId = messageIdFor('d-1', 'hello@shop.example.com')
    const result = await channel({ replyTo: 'help@shop.example.com' }).send(message, context(at))
    expect(result).toEqual({ status: 'accepted', providerId: messageId.slice(1, -1) })
    const [mail] = smtp.messages
    expect(mail).toMatchObject({ from: 'hello@shop.example.com', to: ['wang@example.net'] })
    expect(mail?.headers).toMatchObject({
      to: 'wang@example.net',
      'reply-to': 'help@shop.example.com',
      'message-id': messageId,
      date: 'Sun, 01 Mar 2026 04:00:00 +0000',
      subject: `=?UTF-8?B?${Buffer.from('草莓到货了').toString('base64')}?=`,
    })
    expect(mail?.headers['from']).toMatch(/^=\?UTF-8\?B\?.+\?= <hello@shop\.example\.com>$/)
    expect(textOf(mail?.raw ?? '')).toBe('今晚 8 点截单\r\n.\r\n自提点：3 号楼')
  })

  it('has the same Message-ID at every attempt, and no other has it', async () => {
    for (const deliveryKey of ['d-1', 'd-1', 'd-2']) await channel().send({ ...message, deliveryKey }, context())
    const [first, again, other] = smtp.messages.map(({ headers }) => headers['message-id'])
    expect(again).toBe(first)
    expect(other).not.toBe(first)
    expect(first).not.toContain('d-1')
  })

  it('has HTML beside its text, where somebody makes it', async () => {
    const html = ({ content }: Outbound) => `<p>${escapeHtml(content.body)}</p>`
    await channel({ html }).send(saying({ body: '<script>alert("你好")</script> & \'x\'' }), context())
    const raw = smtp.messages[0]?.raw ?? ''
    expect(raw).toContain('multipart/alternative')
    const parts = [...raw.matchAll(/base64\r\n\r\n([A-Za-z0-9+/=\r\n]+)/g)].map(([, part = '']) =>
      Buffer.from(part, 'base64').toString('utf8'),
    )
    expect(parts).toEqual([
      '<script>alert("你好")</script> & \'x\'',
      '<p>&lt;script&gt;alert(&quot;你好&quot;)&lt;/script&gt; &amp; &#39;x&#39;</p>',
    ])
  })

  it('is refused where its HTML cannot be made', async () => {
    const html = () => {
      throw new Error('今晚 8 点截单')
    }
    await expect(channel({ html }).send(message, context())).resolves.toEqual({
      status: 'refused',
      reason: 'content',
      detail: 'email.html: the option html threw',
    })
  })

  it.each(['草莓\r\nBcc: all@example.net', '草莓\nX: y', '草莓\r', '草\0莓', '', '  '])(
    'is refused before the call where its title is %j',
    async (title) => {
      await expect(channel().send(saying({ title }), context())).resolves.toMatchObject({
        status: 'refused',
        reason: 'content',
      })
      expect(said()).toEqual([])
    },
  )

  it.each([
    [undefined],
    ['wang'],
    ['wang@example.net, all@example.net'],
    ['wang@example.net\r\nRCPT TO:<all@example.net>'],
    ['<wang@example.net>'],
    ['"a b"@example.net'],
    ['wang@[127.0.0.1]'],
    ['wang@localhost'],
    ['王@example.net'],
    ['wang@exa mple.net'],
    [`${'x'.repeat(65)}@example.net`],
    [`x@${'y.'.repeat(130)}net`],
    [42],
  ])('is refused before the call where the address is %j', async (email) => {
    await expect(channel().send(to({ email }), context())).resolves.toMatchObject({
      status: 'refused',
      reason: 'recipient',
    })
    expect(said()).toEqual([])
  })

  it('goes to a domain by its name on the wire', async () => {
    await channel().send(to({ email: 'wang@例子.测试' }), context())
    expect(smtp.messages).toMatchObject([{ to: ['wang@xn--fsqu00a.xn--0zwm56d'] }])
  })

  it('that is larger than the server takes is refused', async () => {
    await expect(channel().send(saying({ body: '草莓'.repeat(30_000) }), context())).resolves.toMatchObject({
      status: 'refused',
      reason: 'content',
      detail: 'email.smtp: content 552',
    })
    expect(smtp.messages).toEqual([])
  })
})

describe('the link to want no more of it', () => {
  const headers = async (sent: Outbound, options: Partial<EmailOptions> = {}) => {
    await channel(options).send(sent, context())
    return smtp.messages.at(-1)?.headers ?? {}
  }

  it.each(['promotion', 'content'] as const)('is in a message that is %s, for one click', async (messageClass) => {
    const found = await headers({ ...message, class: messageClass })
    const token = tokens.tokenFor({ userId: 'u1', channel: 'email', class: messageClass })
    expect(found['list-unsubscribe']).toBe(`<https://shop.example.com/unsubscribe?t=${token}>`)
    expect(found['list-unsubscribe-post']).toBe('List-Unsubscribe=One-Click')
  })

  it('is whole, however long it is', async () => {
    const id = 'u'.repeat(200)
    await channel().send({ ...message, to: { ...message.to, id } }, context())
    const token = tokens.tokenFor({ userId: id, channel: 'email', class: 'promotion' })
    expect(smtp.messages[0]?.headers['list-unsubscribe']).toBe(`<${unsubscribe.page}${token}>`)
  })

  it('is not in a message that is service, nor in one to a leader', async () => {
    expect(await headers({ ...message, class: 'service' })).not.toHaveProperty('list-unsubscribe')
    const leader = { ...message, to: { ...message.to, kind: 'leader' as const } }
    expect(await headers(leader)).not.toHaveProperty('list-unsubscribe')
  })

  it('is what promotions are not sent without', async () => {
    const { unsubscribe: _, ...without } = { smtp: server(), from: { address: 'hello@shop.example.com' }, unsubscribe }
    await expect(emailChannel(without).send(message, context())).resolves.toMatchObject({
      status: 'refused',
      reason: 'configuration',
    })
    const service = { ...message, class: 'service' as const }
    await expect(emailChannel(without).send(service, context())).resolves.toMatchObject({ status: 'accepted' })
  })
})

describe('replies of the server', () => {
  const refused = (reason: string) => ({ status: 'refused', reason })
  const deferred = { status: 'deferred' }
  const ROWS: readonly (readonly [FakeSmtpPoint, FakeSmtpFault['then'], object, string])[] = [
    ['greeting', '421 4.3.2 Closing', deferred, 'connect 421 4.3.2'],
    ['greeting', '554 5.7.1 Not you', refused('configuration'), 'connect 554 5.7.1'],
    ['ehlo', '421 4.3.2 Closing', deferred, 'connect 421 4.3.2'],
    ['auth', '454 4.7.0 Later', deferred, 'auth 454 4.7.0'],
    ['auth', '535 5.7.8 Wrong', refused('configuration'), 'auth 535 5.7.8'],
    ['mail', '451 4.3.0 Later', deferred, 'sender 451 4.3.0'],
    ['mail', '550 5.7.1 Not from you', refused('configuration'), 'sender 550 5.7.1'],
    ['rcpt', '450 4.7.1 Greylisted', deferred, 'recipient 450 4.7.1'],
    ['rcpt', '452 4.2.2 Full', deferred, 'recipient 452 4.2.2'],
    ['rcpt', '550 5.1.1 Nobody', refused('recipient'), 'recipient 550 5.1.1'],
    ['rcpt', '553 Nobody', refused('recipient'), 'recipient 553'],
    ['rcpt', '554 5.7.1 Relay denied', refused('configuration'), 'recipient 554 5.7.1'],
    ['data', '451 4.3.0 Later', deferred, 'content 451 4.3.0'],
    ['data', '554 5.6.0 No', refused('content'), 'content 554 5.6.0'],
    ['content', '451 4.7.1 Later', deferred, 'content 451 4.7.1'],
    ['content', '554 5.7.1 Spam', refused('content'), 'content 554 5.7.1'],
  ]
  it.each(ROWS)('at %s: %s is %j', async (at, then, outcome, detail) => {
    smtp.next(at, then)
    const result = await channel().send(message, context())
    expect(result).toMatchObject({ ...outcome, detail: `email.smtp: ${detail}` })
    expect(smtp.messages).toEqual([])
  })

  it('make a stranger wait a minute at least', async () => {
    const at = new Date('2026-03-01T12:00:00+08:00')
    smtp.next('rcpt', '450 4.7.1 Greylisted')
    const result = await channel().send(message, context(at))
    expect(result).toMatchObject({ retryAt: new Date('2026-03-01T12:01:00+08:00') })
  })
})

describe('a session that breaks off', () => {
  const BEFORE: readonly FakeSmtpPoint[] = ['greeting', 'ehlo', 'auth', 'mail', 'rcpt', 'data']

  it.each(BEFORE)('at %s has sent nothing for certain', async (at) => {
    smtp.next(at, 'reset')
    const result = await channel().send(message, context())
    expect(result).toMatchObject({ status: 'deferred', detail: expect.stringContaining('email.not_sent') })
    expect(smtp.messages).toEqual([])
  })

  it.each(BEFORE)('as it is silent at %s has sent nothing for certain', async (at) => {
    smtp.next(at, 'hang')
    const result = await channel({ timeoutMs: 100 }).send(message, context())
    expect(result).toMatchObject({
      status: 'deferred',
      detail: expect.stringMatching(/^email\.not_sent: (TIMEOUT|ETIMEDOUT)$/),
    })
  })

  it.each([
    ['take and reset', 1],
    ['reset', 0],
    ['take and hang', 1],
    ['hang', 0],
  ] as const)('after the message (%s) leaves the outcome unknown', async (then, taken) => {
    smtp.next('content', then)
    await expect(channel({ timeoutMs: 300 }).send(message, context())).rejects.toMatchObject({
      code: 'email.outcome_unknown',
    })
    expect(smtp.messages).toHaveLength(taken)
  })

  it('before it began has sent nothing for certain', async () => {
    const away = channel({ smtp: { ...server(), port: 1 } })
    await expect(away.send(message, context())).resolves.toMatchObject({ status: 'deferred' })
    const aborted = { ...context(), signal: AbortSignal.abort() }
    await expect(channel().send(message, aborted)).resolves.toMatchObject({ status: 'deferred' })
    expect(said()).toEqual([])
  })
})

describe('secrets of e-mail', () => {
  it('stand in no result, error or channel', async () => {
    const wrong = channel({ smtp: { ...server(), password: 'wrong-password-canary' } })
    const result = await wrong.send(message, context())
    expect(result).toMatchObject({ status: 'refused', reason: 'configuration' })
    smtp.next('content', 'take and reset')
    const error: unknown = await channel()
      .send(message, context())
      .catch((thrown: unknown) => thrown)
    const said = inspect([wrong, result, error], { depth: 9, showHidden: true })
    for (const secret of ['wrong-password-canary', PASSWORD, 'wang@example.net', '草莓'])
      expect(said).not.toContain(secret)
  })

  it('do not go to a server that knows no TLS', async () => {
    const result = await channel({ smtp: { ...server(), tls: 'starttls' } }).send(message, context())
    expect(result).toMatchObject({ status: 'refused', reason: 'configuration' })
    expect(smtp.lines.some((line) => line.startsWith('AUTH'))).toBe(false)
    expect(smtp.messages).toEqual([])
  })

  it('go by TLS from the first byte, where nothing else is said', async () => {
    const { key, cert } = selfSigned('localhost')
    const tunnel = createServer({ key, cert }, (socket) => {
      socket.on('error', () => undefined)
      const inner = connect(smtp.port, smtp.host)
      socket.pipe(inner).on('error', () => socket.destroy())
      inner.pipe(socket)
    })
    await new Promise<void>((resolve) => tunnel.listen(0, '127.0.0.1', resolve))
    const { tls: _, ...rest } = { ...server(), host: 'localhost', port: (tunnel.address() as AddressInfo).port }
    try {
      await expect(channel({ smtp: rest }).send(message, context())).resolves.toMatchObject({ status: 'deferred' })
      expect(said()).toEqual([])
      const trusting = channel({ smtp: { ...rest, ca: cert } })
      await expect(trusting.send(message, context())).resolves.toMatchObject({ status: 'accepted' })
    } finally {
      tunnel.close()
    }
  })

  it('go by STARTTLS to a server whose certificate is trusted, and to no other', async () => {
    const tls = selfSigned('localhost')
    const safe = await startFakeSmtp({ user: 'shop', password: PASSWORD, tls })
    const secured = { ...server(), host: 'localhost', port: safe.port, tls: 'starttls' as const }
    try {
      await expect(channel({ smtp: secured }).send(message, context())).resolves.toMatchObject({ status: 'deferred' })
      expect(safe.lines.some((line) => line.startsWith('AUTH'))).toBe(false)
      const trusting = channel({ smtp: { ...secured, ca: tls.cert } })
      await expect(trusting.send(message, context())).resolves.toMatchObject({ status: 'accepted' })
    } finally {
      await safe.close()
    }
  })
})

describe('options of emailChannel', () => {
  const from = { address: 'hello@shop.example.com' }
  it.each([
    ['smtp.host', { smtp: { host: '' } }],
    ['smtp.port', { smtp: { host: 'x', port: 0 } }],
    ['smtp.user', { smtp: { host: 'x', user: 'shop' } }],
    ['smtp.password', { smtp: { host: 'x', user: 'shop', password: '' } }],
    ['from.address', { from: { address: 'shop' } }],
    ['from.name', { from: { ...from, name: '邻里\r\nBcc: x@example.net' } }],
    ['replyTo', { replyTo: 'shop' }],
    ['unsubscribe.page', { unsubscribe: { tokens, page: 'http://shop.example.com/unsubscribe?t=' } }],
    ['name', { name: '' }],
  ])('refuse a %s that can never work', (option, given) => {
    expect(() => channel(given)).toThrowError(
      expect.objectContaining({ code: 'email.option_invalid', message: expect.stringContaining(option) }),
    )
  })
})
