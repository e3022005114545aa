import { inspect } from 'node:util'
import { createWorld } from '@linli/core/testing'
import { definePack } from '@linli/rules'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeModel, type FakeModelOptions, startFakeModel } from '../../testing/fake-model.js'
import { openaiCopywriter } from './copywriter.js'

const KEY = 'sk-canary-1f2e'
const models: FakeModel[] = []

afterEach(async () => {
  for (const model of models.splice(0)) await model.close()
})

async function open(options: Partial<FakeModelOptions> = {}, more: object = {}) {
  const model = await startFakeModel({ apiKey: KEY, write: () => '王阿姨，苹果来了', ...options })
  models.push(model)
  return { model, copywriter: openaiCopywriter({ baseUrl: model.url, model: 'm-1', apiKey: KEY, ...more }) }
}

const request = {
  key: 'k1',
  template: 'hello',
  instructions: '请王阿姨试吃',
  maxLength: 30,
  forbid: ['最低价', '秒杀'],
}
const context = () => ({ at: new Date(0), signal: AbortSignal.timeout(5_000) })

describe('a model', () => {
  it('is asked for one text, with the limits and the instructions alone', async () => {
    const { model, copywriter } = await open({}, { body: { temperature: 0.7 } })

    expect(await copywriter.write(request, context())).toBe('王阿姨，苹果来了')

    expect(model.asked).toEqual([
      {
        model: 'm-1',
        temperature: 0.7,
        messages: [
          { role: 'system', content: expect.stringContaining('最多30个字') },
          { role: 'user', content: '请王阿姨试吃' },
        ],
      },
    ])
    expect(JSON.stringify(model.asked)).toContain('最低价、秒杀')
  })

  it('may think aloud first', async () => {
    const { copywriter } = await open({ write: () => '<think>\n嗯，\n苹果\n</think>\n苹果来了' })
    expect((await copywriter.write(request, context())).trim()).toBe('苹果来了')
  })

  it.each([
    [{ status: 401, body: { error: {} } }, 'openai.unauthorized'],
    [{ status: 403, body: { error: {} } }, 'openai.unauthorized'],
    [{ status: 429, body: 'slow down' }, 'openai.busy'],
    [{ status: 400, body: { error: {} } }, 'openai.refused'],
    [{ status: 500, body: { error: {} } }, 'openai.unavailable'],
    [{ status: 200, body: {} }, 'openai.no_text'],
    [{ status: 200, body: { choices: [{ message: { content: null } }] } }, 'openai.no_text'],
    ['reset', 'openai.no_answer'],
    ['take and reset', 'openai.no_answer'],
    ['take and babble', 'openai.no_answer'],
  ] as const)('that answers %j writes nothing: %s', async (fault, code) => {
    const { model, copywriter } = await open()
    model.next(fault)
    await expect(copywriter.write(request, context())).rejects.toMatchObject({ code })
  })

  it.each([
    ['length', 'openai.cut_off'],
    ['content_filter', 'openai.refused'],
  ])('that stops because of %s writes nothing: %s', async (finishReason, code) => {
    const { copywriter } = await open({ finishReason })
    await expect(copywriter.write(request, context())).rejects.toMatchObject({ code })
  })

  it('that is silent is waited for so long and no longer', async () => {
    const { model, copywriter } = await open({}, { timeoutMs: 50 })
    model.next('take and hang')
    await expect(copywriter.write(request, context())).rejects.toMatchObject({ code: 'openai.no_answer' })
  })

  it('that wants no key gets none', async () => {
    const model = await startFakeModel({ write: () => 'ok' })
    models.push(model)
    const copywriter = openaiCopywriter({ baseUrl: `${model.url}/`, model: 'm-1' })
    expect(await copywriter.write(request, context())).toBe('ok')
  })

  it('shows its key nowhere', async () => {
    const { model, copywriter } = await open()
    model.next({ status: 401, body: { error: { message: KEY } } })
    const error = await copywriter.write(request, context()).catch((thrown: unknown) => thrown)
    expect(inspect([copywriter, error], { depth: 9, showHidden: true })).not.toContain(KEY)
    expect(JSON.stringify(copywriter)).not.toContain(KEY)
  })

  it.each([
    [{ baseUrl: 'shop' }, 'baseUrl'],
    [{ baseUrl: 'file:///etc' }, 'baseUrl'],
    [{ model: ' ' }, 'model'],
    [{ apiKey: ' ' }, 'apiKey'],
  ])('with %j is refused', (more, option) => {
    const options = { baseUrl: 'http://127.0.0.1/v1', model: 'm-1', ...more }
    expect(() => openaiCopywriter(options)).toThrow(expect.objectContaining({ code: 'openai.option_invalid' }))
    expect(() => openaiCopywriter(options)).toThrow(option)
  })
})

describe('a model in an engine', () => {
  it('learns of a person what the instructions name, and nothing else', async () => {
    const { model, copywriter } = await open({ write: (asked) => asked.replace('请', '') })
    const copy = { instructions: '请{{ traits.name }}试吃', fallback: '来试吃' }
    const step = { id: 'push', send: { template: 'hello', channel: 'sms', class: 'content' } }
    const rules = definePack([
      { kind: 'template', id: 'hello', body: '{{ copy }}，回电{{ traits.phone }}', copy },
      { kind: 'journey', id: 'j', entry: { on: 'event', event: 'cart' }, steps: [step] },
    ])
    const world = await createWorld({ rules, now: '2026-03-01T12:00:00+08:00', copywriter })

    await world.ingest(
      {
        messageId: 'm1',
        type: 'identify',
        userId: 'u-canary',
        traits: { name: '王阿姨', phone: '13912345678', openid: 'o-canary' },
      },
      { messageId: 'm2', type: 'track', userId: 'u-canary', event: 'cart', properties: { sku: 'sku-canary' } },
    )

    expect(world.sent.map(({ content }) => content.body)).toEqual(['王阿姨试吃，回电13912345678'])
    const learned = JSON.stringify(model.asked)
    expect(learned).toContain('王阿姨')
    for (const secret of ['u-canary', '13912345678', 'o-canary', 'sku-canary']) expect(learned).not.toContain(secret)
    await world.close()
  })
})
