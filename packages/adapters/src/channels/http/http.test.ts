import type { Outbound } from '@linli/core'
import { channelContract } from '@linli/core/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FakeAnswer, FakeServer } from '../../testing/fake-server.js'
import { DeclarationError, httpChannel } from './index.js'

/** What the provider took, by the key that it was given. */
const taken = new Map<string, number>()
let answer: FakeAnswer | undefined
const provider: FakeServer = new FakeServer(({ path, body, query }) => {
  if (path === '/status') return { body: { found: taken.has(query['key'] ?? '') ? 'sent' : 'none' } }
  const { key } = (body.startsWith('{') ? JSON.parse(body) : {}) as { readonly key?: string }
  if (key !== undefined) taken.set(key, (taken.get(key) ?? 0) + 1)
  return answer ?? { body: { errcode: 0, msgid: `m-${provider.requests.length}` } }
})
let url = ''
beforeAll(async () => {
  url = await provider.listen()
})
afterAll(() => provider.close())
beforeEach(() => {
  provider.requests.length = 0
  provider.clear()
  taken.clear()
  answer = undefined
})

const context = () => ({ attempt: 1, at: new Date('2026-03-01T10:00:00Z'), signal: new AbortController().signal })
const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'robot',
  class: 'service',
  to: { kind: 'user', id: 'u1', traits: { phone: '13800000000', level: 3, address: { city: '杭州' } } },
  content: { template: 't', title: '到货', body: '草莓到了', data: { page: '/item/42' } },
  source: { journey: 'j', run: 'r', step: 's' },
}
const here = () => ({
  allowInsecureHttp: true,
  allowPrivateNetwork: true,
  ports: [Number(new URL(url).port)],
  secrets: { TOKEN: 's3cret-token' },
})
const channel = (more: object = {}) =>
  httpChannel({ name: 'robot', url: `${url}/send`, body: { text: '{{ content.body }}' }, ...more }, here())
const send = (more: object = {}, sent: Outbound = message) => channel(more).send(sent, context())
const bodyOf = () => JSON.parse(provider.requests.at(-1)?.body ?? 'null') as unknown

const CODES = [
  { at: '/errcode', is: [0], then: 'accepted', providerId: '/msgid' },
  { at: '/errcode', is: [130101], then: 'deferred', afterSeconds: 600 },
  { at: '/errcode', is: [310000], then: 'refused', reason: 'configuration' },
]

describe.each(['none', 'idempotent', 'queryable'] as const)(
  'a channel whose repeat is %s keeps the contract',
  (kind) => {
    const repeat = {
      none: { kind },
      idempotent: { kind, windowMs: 60_000 },
      queryable: {
        kind,
        lookUp: {
          url: '/status',
          query: { key: '{{ deliveryKey }}' },
          answers: [
            { at: '/found', is: ['sent'], then: 'accepted' },
            { at: '/found', is: ['none'], then: 'not_found' },
          ],
        },
      },
    }[kind]
    const cases = channelContract({
      create: () => {
        const asked = 'lookUp' in repeat ? { ...repeat, lookUp: { ...repeat.lookUp, url: `${url}/status` } } : repeat
        return channel({ body: { key: '{{ deliveryKey }}' }, answers: CODES, repeat: asked })
      },
      message,
      repeat: kind,
      provider: {
        accepted: () => [...taken.keys()],
        failNext: (when) => provider.next(when === 'before' ? 'reset' : 'take and reset', '/send'),
        refuseNext: () => provider.next({ body: { errcode: 310000 } }, '/send'),
        deferNext: () => provider.next({ body: { errcode: 130101 } }, '/send'),
        hangNext: () => provider.next('take and hang', '/send'),
        hanging: () => provider.hanging(),
      },
    })
    for (const { title, run } of cases) it(title, run)
  },
)

describe('a request', () => {
  it('is filled from the message: a text that is one placeholder becomes the value itself', async () => {
    await send({
      method: 'PUT',
      url: `${url}/users/{{ to.id }}/push`,
      query: { access_token: '{{ secret.TOKEN }}', v: '2' },
      headers: { Authorization: 'Bearer {{ secret.TOKEN }}', 'x-run': '{{ source.run }}' },
      body: {
        level: '{{ to.traits.level }}',
        city: '{{ to.traits.address.city }}',
        text: '{{ content.title }}：{{ content.body }}',
        url: '{{ content.data.page }}',
        list: [1, null, '{{ deliveryKey }}', '{{ content.data.none? }}'],
        gone: '{{ to.traits.none? }}',
        at: ['{{ at.iso }}', '{{ at.ms }}', '{{ at.s }}'],
      },
    })
    const [request] = provider.requests
    expect(request).toMatchObject({
      method: 'PUT',
      path: '/users/u1/push',
      query: { access_token: 's3cret-token', v: '2' },
      headers: { authorization: 'Bearer s3cret-token', 'x-run': 'r', 'content-type': 'application/json' },
    })
    expect(bodyOf()).toEqual({
      level: 3,
      city: '杭州',
      text: '到货：草莓到了',
      url: '/item/42',
      list: [1, null, 'd-1'],
      at: ['2026-03-01T10:00:00.000Z', 1_772_359_200_000, 1_772_359_200],
    })
  })

  it('may be a form, or have no body at all', async () => {
    await send({ body: undefined, form: { mobile: '{{ to.traits.phone }}', text: '{{ content.body }}&x=1' } })
    expect(Object.fromEntries(new URLSearchParams(provider.requests[0]?.body))).toEqual({
      mobile: '13800000000',
      text: '草莓到了&x=1',
    })
    await send({ method: 'GET', body: undefined, query: { text: '{{ content.body }}' } })
    expect(provider.requests[1]).toMatchObject({ method: 'GET', body: '', query: { text: '草莓到了' } })
  })

  it.each([
    [{ body: '{{ to.traits.none }}' }, 'recipient', 'http.missing: to.traits.none'],
    [{ body: '{{ content.data.none }}' }, 'content', 'http.missing: content.data.none'],
    [{ body: 'x{{ to.traits.address }}' }, 'recipient', 'http.no_text: to.traits.address'],
    [{ headers: { 'x-title': '{{ content.title }}' } }, 'content', 'http.unsendable: header'],
  ])('that cannot be filled is not sent: %j', async (more, reason, detail) => {
    expect(await send(more)).toEqual({ status: 'refused', reason, detail })
    expect(provider.requests).toEqual([])
  })

  it('holds whatever a value is in its place: nothing breaks out', async () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"},"evil":{"', '{{ secret.TOKEN }}', '\u0000'),
    )
    await fc.assert(
      fc.asyncProperty(anything, async (body) => {
        await send(
          { body: { a: '{{ content.body }}', b: 'x{{ content.body }}', c: 1 } },
          { ...message, content: { ...message.content, body } },
        )
        // Half of a character is written as an escape; JSON takes it back as it was.
        expect(bodyOf()).toEqual({ a: body, b: `x${body}`, c: 1 })
      }),
      { numRuns: 50 },
    )
  })

  it('leads to its host and into its own path, whatever a value is', async () => {
    const evil = fc.constantFrom(
      '..',
      '.',
      '',
      '../admin',
      '%2e%2e',
      '/',
      '//evil.example',
      '@evil.example',
      '?x=1',
      '#x',
      '\\..',
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(evil, fc.string({ unit: 'binary' })), async (id) => {
        const before = provider.requests.length
        const result = await send(
          { url: `${url}/users/{{ to.id }}/push`, method: 'GET', body: undefined },
          { ...message, to: { ...message.to, id } },
        )
        const arrived = provider.requests.slice(before)
        if (result.status === 'refused') expect(arrived).toEqual([])
        else expect(arrived[0]?.path).toMatch(/^\/users\/[^/]+\/push$/)
      }),
      { numRuns: 100 },
    )
  })

  it('goes to no private address, unless the program that loads the declaration says so', async () => {
    const declared = { name: 'x', url: 'https://inner.example/send', body: {} }
    const lookup = async () => [{ address: '10.0.0.7', family: 4 }]
    expect(await httpChannel(declared, { lookup }).send(message, context())).toMatchObject({
      status: 'refused',
      reason: 'configuration',
      detail: expect.stringContaining('http.address_forbidden'),
    })
  })

  it('that never left is made later', async () => {
    const lookup = () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }))
    const declared = { name: 'x', url: 'https://gone.example/send', body: {} }
    const result = await httpChannel(declared, { lookup }).send(message, context())
    expect(result).toMatchObject({ status: 'deferred', detail: 'http.not_sent: ENOTFOUND' })
  })
})

describe('an answer', () => {
  it.each([
    [{ body: { errcode: 0, msgid: 17 } }, { status: 'accepted', providerId: '17' }],
    [{ body: { errcode: '0', msgid: '' } }, { status: 'accepted' }],
    [{ body: { errcode: 130101 } }, { status: 'deferred', retryAt: new Date('2026-03-01T10:10:00Z') }],
    [
      { body: { errcode: 310000, errmsg: '13800000000' } },
      {
        status: 'refused',
        reason: 'configuration',
        detail: 'http.answer: HTTP 200, answers/2, /errcode is 310000',
      },
    ],
    [
      { status: 429, body: '' },
      { status: 'deferred', detail: 'http.status: HTTP 429' },
    ],
    [
      { status: 503, headers: { 'retry-after': '7' } },
      { status: 'deferred', retryAt: new Date('2026-03-01T10:00:07Z') },
    ],
    [{ status: 400 }, { status: 'refused', reason: 'content' }],
    [{ status: 401 }, { status: 'refused', reason: 'configuration' }],
    [
      { status: 302, headers: { location: 'http://127.0.0.1/' } },
      { status: 'refused', reason: 'configuration' },
    ],
    [{ status: 418 }, { status: 'refused', reason: 'other' }],
  ])('%j says what became of the message', async (given, expected) => {
    answer = given
    const result = await send({ answers: CODES })
    expect(result).toMatchObject(expected)
    if (!('providerId' in expected)) expect(result).not.toHaveProperty('providerId')
  })

  it.each([
    [{ status: 500 }],
    [{ status: 502 }],
    [{ body: '<html>Bad gateway</html>' }],
    [{ body: { errcode: 99 } }],
    [{ body: { errcode: null } }],
    [{ body: [] }],
  ])('%j says nothing: the outcome is unknown', async (given) => {
    answer = given
    await expect(send({ answers: CODES })).rejects.toMatchObject({ code: 'http.outcome_unknown' })
  })

  it('needs no declaration where the status says it', async () => {
    answer = { status: 204 }
    expect(await send()).toEqual({ status: 'accepted' })
  })

  it('may be told by its status, or by its plain text', async () => {
    answer = { body: ' ok\n' }
    expect(await send({ answers: [{ at: '', is: ['ok'], then: 'accepted' }] })).toEqual({ status: 'accepted' })
    answer = { status: 404 }
    const answers = [{ status: [404, '5xx'], then: 'refused', reason: 'recipient' }]
    expect(await send({ answers })).toMatchObject({ status: 'refused', reason: 'recipient' })
    answer = { status: 501 }
    expect(await send({ answers })).toMatchObject({ status: 'refused', reason: 'recipient' })
    await expect(send({ answers: [{ status: [501], then: 'unknown' }] })).rejects.toMatchObject({
      code: 'http.outcome_unknown',
    })
  })

  it('that does not come in time leaves the outcome unknown', async () => {
    provider.next('take and hang')
    await expect(send({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'http.outcome_unknown' })
  })
})

describe('a look-up', () => {
  const queryable = (answers: object) =>
    channel({
      body: { key: '{{ deliveryKey }}' },
      repeat: { kind: 'queryable', lookUp: { url: `${url}/status`, query: { key: '{{ deliveryKey }}' }, answers } },
    })

  it('whose answer is not declared says nothing: a message is not sent again for a 404 of a wrong path', async () => {
    const asked = queryable([{ at: '/found', is: ['sent'], then: 'accepted' }])
    await expect(asked.lookUp?.('d-1', context())).rejects.toMatchObject({ code: 'http.outcome_unknown' })
    provider.next({ status: 404 })
    await expect(asked.lookUp?.('d-1', context())).rejects.toMatchObject({ code: 'http.outcome_unknown' })
    provider.next('reset')
    await expect(asked.lookUp?.('d-1', context())).rejects.toMatchObject({ code: 'http.outcome_unknown' })
  })
})

describe('a declaration', () => {
  const problemsOf = (declared: unknown, options = {}) => {
    try {
      httpChannel(declared, options)
    } catch (error) {
      if (error instanceof DeclarationError) return error.problems
    }
    return []
  }
  const right = { name: 'robot', url: 'https://api.example.com/send', body: { text: '{{ content.body }}' } }

  it('that is right has no problems', () => {
    expect(problemsOf(right)).toEqual([])
    expect(httpChannel({ ...right, rate: { max: 20, perMs: 60_000 } }).rate).toEqual({ max: 20, perMs: 60_000 })
  })

  it.each([
    ['a key that is not known', { ...right, timeout: 5 }, 'key.unknown', '/timeout'],
    ['no name', { ...right, name: undefined }, 'key.missing', ''],
    [
      'a placeholder that is not known',
      { ...right, body: { a: ['{{ content.boby }}'] } },
      'placeholder.unknown',
      '/body/a/0',
    ],
    ['braces that are no placeholder', { ...right, query: { q: '{{ a b }}' } }, 'placeholder.malformed', '/query/q'],
    ['a placeholder as a name', { ...right, body: { '{{ to.id }}': 1 } }, 'placeholder.key', '/body/{{ to.id }}'],
    ['a secret that there is not', { ...right, headers: { a: '{{ secret.NO }}' } }, 'secret.missing', ''],
    ['a host that is a placeholder', { ...right, url: 'https://{{ to.traits.host }}/x' }, 'url.invalid', '/url'],
    ['a query in the URL', { ...right, url: 'https://a.example/x?y={{ to.id }}' }, 'url.invalid', '/url'],
    ['http', { ...right, url: 'http://a.example/x' }, 'url.scheme', '/url'],
    ['a port', { ...right, url: 'https://a.example:8443/x' }, 'url.port', '/url'],
    ['a password', { ...right, url: 'https://u:p@a.example/x' }, 'url.credentials', '/url'],
    ['a private address', { ...right, url: 'https://169.254.169.254/x' }, 'address.forbidden', '/url'],
    ['a header of HTTP itself', { ...right, headers: { Host: 'x' } }, 'header.invalid', '/headers/Host'],
    ['a body by GET', { ...right, method: 'GET' }, 'body.of_get', '/body'],
    ['a body twice', { ...right, form: { a: '1' } }, 'body.twice', '/form'],
    [
      'a pointer that is none',
      { ...right, answers: [{ at: 'x', is: [1], then: 'accepted' }] },
      'value.invalid',
      '/answers/0/at',
    ],
    [
      'a place without values',
      { ...right, answers: [{ at: '/x', then: 'accepted' }] },
      'answer.at_and_is',
      '/answers/0',
    ],
    [
      'a reason of what is accepted',
      { ...right, answers: [{ then: 'accepted', reason: 'other' }] },
      'answer.meaning',
      '/answers/0/reason',
    ],
    ['an outcome that there is not', { ...right, answers: [{ then: 'acepted' }] }, 'value.unknown', '/answers/0/then'],
    [
      'an idempotent request without a key',
      { ...right, repeat: { kind: 'idempotent', windowMs: 1 } },
      'repeat.no_key',
      '/repeat',
    ],
    [
      'a look-up that knows the message',
      {
        ...right,
        body: '{{ deliveryKey }}',
        repeat: {
          kind: 'queryable',
          lookUp: { url: right.url, query: { q: '{{ to.id }}{{ deliveryKey }}' }, answers: [{ then: 'unknown' }] },
        },
      },
      'placeholder.unknown',
      '/repeat/lookUp/query/q',
    ],
  ])('tells of %s by its place', (_, declared, code, pointer) => {
    expect(problemsOf(declared)).toEqual([expect.objectContaining({ code, pointer })])
  })

  it('says what was meant', () => {
    expect(problemsOf({ ...right, body: '{{ content.boby }}' })).toMatchObject([{ suggestion: 'content.body' }])
    expect(problemsOf({ ...right, headers: { a: '{{ secret.TOKE }}' } }, { secrets: { TOKEN: 'x' } })).toMatchObject([
      { suggestion: 'TOKEN' },
    ])
  })

  it('never shows a secret: neither in what is thrown, nor in what the channel looks like', async () => {
    const made = channel({ headers: { a: '{{ secret.TOKEN }}' } })
    expect(JSON.stringify(made)).not.toContain('s3cret')
    provider.next({ status: 500 })
    await expect(made.send(message, context())).rejects.toSatisfy((error: Error) => !error.message.includes('s3cret'))
  })
})
