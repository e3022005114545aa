import { describe, expect, it } from 'vitest'
import { describeOnEveryStore } from '../../testing/every-store.js'
import { journey, send, wait } from '../../testing/rules.js'
import { group, identify, log, NOON, shopOf, track, worldOf } from '../../testing/shop.js'
import type { CopyRequest, Copywriter } from '../ports/copywriter.js'
import type { Delivery, Store, StoreTransaction } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { delegate } from '../testing/delegate.js'
import { memoryChannel } from '../testing/memory-channel.js'

const hello = {
  kind: 'template',
  id: 'hello',
  body: '{{ copy }} 券码 {{ traits.code | default: "无" }}',
  copy: {
    instructions: '请{{ traits.name }}试吃苹果',
    fallback: '{{ traits.name }}，来尝尝苹果',
    maxLength: 20,
    forbid: ['最低价'],
  },
}
const RULES = [hello, journey('remind', [send('push', { channel: 'sms', class: 'content' }), wait('later', '2d')])]
const AUNTIE = identify('u1', { name: '王阿姨', phone: '13800000000', code: 'XYZ' })

type Writes = (request: CopyRequest, signal: AbortSignal) => string | Promise<string>

function writer(writes: Writes): Copywriter & { readonly asked: CopyRequest[] } {
  const asked: CopyRequest[] = []
  return {
    name: 'model',
    asked,
    write: async (request, { signal }) => {
      asked.push(request)
      return writes(request, signal)
    },
  }
}

async function open(
  writes: Writes | undefined,
  { rules = RULES, store = memoryStore() }: { rules?: typeof RULES; store?: Store } = {},
) {
  const copywriter = writes && writer(writes)
  const sms = memoryChannel({ name: 'sms' })
  const world = await worldOf(rules, {
    channels: [sms, memoryChannel({ name: 'wechat' })],
    database: store,
    ...(copywriter && { copywriter }),
  })
  return { copywriter, sms, world, bodies: () => sms.sent.map(({ content }) => content.body) }
}

describeOnEveryStore('a message of a template with copy', (openStore) => {
  it('leaves with what was written for its recipient, and a decision says so', async () => {
    const { copywriter, world, bodies } = await open(() => '王阿姨，苹果脆甜，尝一口？', { store: await openStore() })

    await world.ingest(AUNTIE, track('cart', 'u1'))

    expect(bodies()).toEqual(['王阿姨，苹果脆甜，尝一口？ 券码 XYZ'])
    expect(copywriter?.asked).toEqual([
      {
        key: expect.any(String),
        template: 'hello',
        instructions: '请王阿姨试吃苹果',
        maxLength: 20,
        forbid: ['最低价'],
      },
    ])
    expect(await log(world.engine, 'copy.')).toEqual(['copy.written'])
    expect(await log(world.engine, 'message.')).toEqual(['message.planned', 'message.accepted'])
    expect(JSON.stringify(await world.decisions())).not.toContain('脆甜')
    expect((await world.engine.verify()).violations).toEqual([])
    await world.close()
  })

  it('is repeated with the same words', async () => {
    let count = 0
    const texts = ['一', '二']
    const { sms, world, copywriter } = await open(() => texts[count++] ?? '三', { store: await openStore() })
    sms.respond({ status: 'deferred', retryAt: new Date(Date.parse(NOON) + 60_000) })

    await world.ingest(AUNTIE, track('cart', 'u1'))
    await world.advanceTo('2026-03-01T13:00:00+08:00')

    expect(sms.calls.map(({ message }) => message.content.body)).toEqual(['一 券码 XYZ', '一 券码 XYZ'])
    expect(copywriter?.asked).toHaveLength(1)
    await world.close()
  })
})

describe('where no text can be used, the fallback is sent', () => {
  it.each([
    ['the text is too long', () => '苹'.repeat(21), 'too long'],
    ['it has a forbidden word', () => '最低价', 'forbidden word'],
    ['it is empty', () => ' \n ', 'empty'],
    ['it names a price that nobody said', () => '只要1元', 'number'],
    ['it is no text', () => 7 as unknown as string, 'empty'],
    ['the copywriter throws', () => Promise.reject(new Error('13800000000')), 'the copywriter failed'],
  ])('%s', async (_, writes, reason) => {
    const { world, bodies } = await open(writes)

    await world.ingest(AUNTIE, track('cart', 'u1'))

    expect(bodies()).toEqual(['王阿姨，来尝尝苹果 券码 XYZ'])
    expect(await log(world.engine, 'copy.')).toEqual([`copy.declined ${reason}`])
    expect(JSON.stringify(await world.decisions())).not.toContain('13800000000')
    await world.close()
  })

  it('nobody writes', async () => {
    const { world, bodies } = await open(undefined)

    await world.ingest(AUNTIE, track('cart', 'u1'))

    expect(bodies()).toEqual(['王阿姨，来尝尝苹果 券码 XYZ'])
    expect(await log(world.engine, 'copy.')).toEqual(['copy.declined no copywriter'])
    await world.close()
  })

  it('what to write cannot be rendered', async () => {
    const rules = [{ ...hello, body: '{{ copy }}', copy: { ...hello.copy, fallback: '来尝尝苹果' } }, ...RULES.slice(1)]
    const { world, bodies, copywriter } = await open(() => '写好了', { rules })

    await world.ingest(track('cart', 'u1'))

    expect(bodies()).toEqual(['来尝尝苹果'])
    expect(await log(world.engine, 'copy.')).toEqual(['copy.declined template'])
    expect(copywriter?.asked).toEqual([])
    await world.close()
  })

  it('the code of an error stands in the decision', async () => {
    const { world } = await open(() => Promise.reject(Object.assign(new Error('x'), { code: 'openai.refused' })))

    await world.ingest(AUNTIE, track('cart', 'u1'))

    expect((await world.decisions()).find(({ decision }) => decision === 'copy.declined')).toMatchObject({
      by: 'model',
      detail: 'openai.refused',
      rule: 'remind',
      step: 'push',
      template: 'hello',
    })
    await world.close()
  })
})

describe('nothing is asked for, and nothing said of anybody,', () => {
  it('where the person wants no messages', async () => {
    const { world, copywriter, sms } = await open(() => '写好了')

    await world.ingest(AUNTIE, track('consent_withdrawn', 'u1', { channel: 'sms' }), track('cart', 'u1'))

    expect(copywriter?.asked).toEqual([])
    expect(sms.calls).toEqual([])
    expect(await log(world.engine, 'copy.')).toEqual([])
    expect(await log(world.engine, 'message.')).toEqual(['message.planned', 'message.suppressed opted out'])
    await world.close()
  })

  it('during quiet hours: it is written when they end', async () => {
    const quiet = { kind: 'policy', id: 'noon', quietHours: { from: '11:00', to: '14:00' } }
    const { world, copywriter, bodies } = await open(() => '写好了', { rules: [...RULES, quiet] })

    await world.ingest(AUNTIE, track('cart', 'u1'))
    expect(copywriter?.asked).toEqual([])
    expect(await log(world.engine, 'message.')).toEqual(['message.planned', 'message.deferred quiet hours'])

    await world.advanceTo('2026-03-01T14:00:00+08:00')
    expect(bodies()).toEqual(['写好了 券码 XYZ'])
    expect((await world.engine.verify()).violations).toEqual([])
    await world.close()
  })

  it('while the journey is paused: it is written when it goes on', async () => {
    const quiet = { kind: 'policy', id: 'noon', quietHours: { from: '11:00', to: '14:00' } }
    const { world, copywriter, bodies } = await open(() => '写好了', { rules: [...RULES, quiet] })

    await world.ingest(AUNTIE, track('cart', 'u1'))
    await world.engine.pause({ journey: 'remind' }, { by: 'ops' })
    await world.advanceTo('2026-03-01T15:00:00+08:00')
    expect(copywriter?.asked).toEqual([])

    await world.engine.resume({ journey: 'remind' }, { by: 'ops' })
    await world.advanceTo('2026-03-01T15:01:00+08:00')
    expect(bodies()).toEqual(['写好了 券码 XYZ'])
    await world.close()
  })

  it('where the run has ended meanwhile', async () => {
    const rules = [
      hello,
      journey('remind', [send('push', { channel: 'sms' })], { exit: { on: 'event', event: 'order_paid' } }),
    ]
    const quiet = {
      kind: 'policy',
      id: 'noon',
      quietHours: { classes: ['service', 'content', 'promotion'], from: '11:00', to: '14:00' },
    }
    const { world, copywriter, sms } = await open(() => '写好了', { rules: [...rules, quiet] })

    await world.ingest(AUNTIE, track('cart', 'u1'))
    await world.ingest(track('order_paid', 'u1'))
    await world.advanceTo('2026-03-01T15:00:00+08:00')

    expect(copywriter?.asked).toEqual([])
    expect(sms.calls).toEqual([])
    expect(await log(world.engine, 'message.suppressed')).toEqual(['message.suppressed run ended'])
    await world.close()
  })
})

describe('a text that is written', () => {
  it('is not used where a day has gone by', async () => {
    const { world, sms, bodies } = await open(() => '写好了')
    await world.engine.pause({ channel: 'sms' }, { by: 'ops' })

    await world.ingest(AUNTIE, track('cart', 'u1'))
    await world.advanceTo('2026-03-02T12:00:00.001+08:00')
    expect(sms.calls).toEqual([])
    await world.engine.resume({ channel: 'sms' }, { by: 'ops' })
    await world.engine.settle()

    expect(bodies()).toEqual(['王阿姨，来尝尝苹果 券码 XYZ'])
    await world.close()
  })

  it('goes with the message to its next channel', async () => {
    const rules = [hello, journey('remind', [send('push', { channel: ['wechat', 'sms'] }), wait('later', '2d')])]
    const { world, bodies, copywriter } = await open(() => '写好了', { rules })

    await world.ingest(AUNTIE, track('consent_withdrawn', 'u1', { channel: 'wechat' }), track('cart', 'u1'))

    expect(bodies()).toEqual(['写好了 券码 XYZ'])
    expect(copywriter?.asked).toHaveLength(1)
    await world.close()
  })

  it('is for suggestions, too', async () => {
    const tip = { ...hello, id: 'tip', body: '{{ copy }}' }
    const rules = [tip, journey('tell', [{ id: 'tell', suggest: { to: 'leader', template: 'tip', expires: '24h' } }])]
    const { world } = await open(() => '可以请王阿姨试吃', { rules })

    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), AUNTIE, track('cart', 'u1'))

    expect(await world.engine.suggestions()).toMatchObject([{ leader: 'l1', text: '可以请王阿姨试吃' }])
    await world.close()
  })

  it('is not asked for while the copywriter has failed again and again', async () => {
    let isAway = true
    const { world, copywriter, bodies } = await open(() => (isAway ? Promise.reject(new Error('away')) : '写好了'))
    const people = Array.from({ length: 30 }, (_, index) => `p${index}`)

    await world.ingest(...people.flatMap((id) => [identify(id, { name: '邻居' }), track('cart', id)]))
    expect(bodies()).toHaveLength(30)
    expect(copywriter?.asked.length).toBeLessThanOrEqual(8)
    expect(new Set(await log(world.engine, 'copy.'))).toEqual(
      new Set(['copy.declined the copywriter failed', 'copy.declined the copywriter rests']),
    )

    isAway = false
    await world.advanceTo('2026-03-01T12:00:30+08:00')
    await world.ingest(track('cart', 'u1'), AUNTIE)
    expect(bodies().at(-1)).toContain('写好了')
    await world.close()
  })

  it('is asked for a few at a time, and holds up no other message', async () => {
    let [under, most] = [0, 0]
    const slow: Writes = async () => {
      under += 1
      most = Math.max(most, under)
      await new Promise((resolve) => setTimeout(resolve, 5))
      under -= 1
      return '写好了'
    }
    const { world, bodies } = await open(slow)
    const people = Array.from({ length: 30 }, (_, index) => `p${index}`)

    await world.ingest(...people.flatMap((id) => [identify(id, { name: '邻居' }), track('cart', id)]))

    expect(bodies()).toHaveLength(30)
    expect(most).toBe(8)
    await world.close()
  })
})

describe('a process that dies while a text is written', () => {
  it('leaves it to another one, and one message leaves', async () => {
    const shop = shopOf(RULES)
    const sms = memoryChannel({ name: 'sms' })
    const first = await shop.start({ channels: [sms], copywriter: writer(() => new Promise(() => {})) })
    await first.ingest([AUNTIE, track('cart', 'u1')])
    void first.settle()
    await expect.poll(() => first.deliveries()).toMatchObject([{ kind: 'draft', state: 'reserved' }])

    const second = await shop.start({ channels: [sms], copywriter: writer(() => '写好了') })
    await second.settle()
    expect(sms.calls).toEqual([])
    shop.clock.moveTo(shop.clock.now() + 60_000)
    await second.settle()

    expect(sms.sent.map(({ content }) => content.body)).toEqual(['写好了 券码 XYZ'])
    expect(await log(second, 'copy.')).toEqual(['copy.written'])
    await second.close()
  })

  it('changes nothing when it comes back', async () => {
    const shop = shopOf(RULES)
    const sms = memoryChannel({ name: 'sms' })
    let answer: (text: string) => void = () => {}
    const late = writer(() => new Promise((resolve) => (answer = resolve)))
    const first = await shop.start({ channels: [sms], copywriter: late, callTimeoutMs: 600_000 })
    await first.ingest([AUNTIE, track('cart', 'u1')])
    const settled = first.settle()
    await expect.poll(() => late.asked.length).toBe(1)

    shop.clock.moveTo(shop.clock.now() + 60_000)
    const second = await shop.start({ channels: [sms], copywriter: writer(() => '写好了') })
    await second.settle()
    answer('太晚了')
    await settled

    expect(sms.sent.map(({ content }) => content.body)).toEqual(['写好了 券码 XYZ'])
    expect(await log(first, 'copy.')).toEqual(['copy.written'])
    await second.close()
  })
})

describe('a draft that cannot be carried out', () => {
  it.each([
    ['before it is asked for', undefined],
    ['when it is written', () => '写好了'],
  ] as const)('holds up no other: %s', async (_, writes) => {
    const poison = new TypeError('poison')
    const store = memoryStore()
    const addDeliveries = (tx: StoreTransaction) => async (deliveries: readonly Delivery[]) => {
      if (deliveries.some(({ kind, subject }) => kind === 'message' && subject.id === 'p3')) throw poison
      return tx.addDeliveries(deliveries)
    }
    const broken = delegate(store, {
      transaction: (work) => store.transaction((tx) => work(delegate(tx, { addDeliveries: addDeliveries(tx) }))),
    })
    const sms = memoryChannel({ name: 'sms' })
    const errors: unknown[] = []
    const more = { onError: (error: unknown) => errors.push(error), ...(writes && { copywriter: writer(writes) }) }
    const engine = await shopOf(RULES, { store: broken }).start({ channels: [sms], ...more })
    const people = ['p1', 'p2', 'p3', 'p4', 'p5']

    await engine.ingest(people.flatMap((id) => [identify(id, { name: '邻居' }), track('cart', id)]))
    const told = await engine.settle().catch((error: unknown) => error)
    await engine.settle()

    expect([told, ...errors]).toContain(poison)
    expect(sms.sent.map(({ to }) => to.id).sort()).toEqual(['p1', 'p2', 'p4', 'p5'])
    await engine.close()
  })
})
