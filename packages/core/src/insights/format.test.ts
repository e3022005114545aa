import { describe, expect, it } from 'vitest'
import { atLeast, journey, score, tag, tagged, traitIs, wait } from '../../testing/rules.js'
import { group, identify, track, worldOf } from '../../testing/shop.js'
import { formatDecision, formatExplanation, formatTrace } from './format.js'

const vegetables = { item: { fact: 'category', operator: 'equal', value: 'vegetable' } }
const sum = (event: string, operator: string, value: number, params: object) => ({
  fact: 'eventSum',
  operator,
  value,
  params: { event, property: 'total', ...params },
})
const RULES = [
  tag('regular', atLeast(2, 'order', { within: '30d', ...vegetables }), { name: '常客' }),
  tag('good', {
    any: [
      { all: [tagged('regular'), traitIs('city', 'Shanghai')] },
      {
        not: sum('order', 'lessThan', 200, {
          during: 'thisMonth',
          where: { fact: 'paid', operator: 'equal', value: true },
        }),
      },
      { fact: 'userCount', operator: 'greaterThan', value: 2, params: { event: 'order', of: 'community' } },
      { fact: 'sinceLastEvent', operator: 'greaterThan', value: '21d', params: { event: ['order', 'view'] } },
      {
        fact: 'sequence',
        operator: 'greaterThanInclusive',
        value: 1,
        params: { steps: [{ event: 'cart' }, { no: { event: 'order' }, for: '2h' }], between: ['3d', '1d'] },
      },
    ],
  }),
  score(
    'loyalty',
    [
      { points: 10, event: 'order', halfLife: '30d' },
      { points: 5, conditions: traitIs('city', 'Shanghai') },
    ],
    {
      tiers: [{ id: 'silver', from: 30 }],
    },
  ),
  journey('greet', [wait('later', '2d')], {
    entry: { on: 'event', event: 'order', conditions: traitIs('city', 'Shanghai') },
    reentry: { after: '30d' },
  }),
]

async function played() {
  const world = await worldOf(RULES)
  const order = (id: string, minute: number) => ({
    ...track('order', 'u1', { total: 30.5, paid: true, items: [{ category: 'vegetable' }] }),
    messageId: id,
    timestamp: Date.parse('2026-03-01T11:00:00+08:00') + minute * 60_000,
  })
  await world.ingest(group('u1', 'c1'), identify('u1', { city: 'Shanghai' }), order('m1', 0), order('m2', 1.0001))
  return world
}

async function texts(rule: string) {
  const world = await played()
  const explained = await world.engine.explain({ subject: ['user', 'u1'], rule })
  await world.close()
  return { en: formatExplanation(explained), zh: formatExplanation(explained, { language: 'zh' }) }
}

describe('an explanation as text', () => {
  it('of a tag has each condition with its value and its events, and what would turn it', async () => {
    const { en, zh } = await texts('good')
    expect(en).toMatchInlineSnapshot(`
      "2026-03-01 12:00:00 (Asia/Shanghai)  user:u1 has the tag good, since 2026-03-01 12:00:00
        ✓ one of these
          ✓ all of these
            ✓ tag regular = true: is true
              ✓ number of order with an item where category = "vegetable" in the last 30d ≥ 2: is 2  (until 2026-03-31 11:00:00)
                · 2026-03-01 11:01:00.006  order  (m2)
                · 2026-03-01 11:00:00  order  (m1)
            ✓ trait city = "Shanghai": is "Shanghai"
          ✗ not
            ✓ sum of total of order where paid = true this month < 200: is 61
              · 2026-03-01 11:01:00.006  order  30.5  (m2)
              · 2026-03-01 11:00:00  order  30.5  (m1)
          ✗ number of people with order of the community > 2: is 0
            ✗ community:c1: number of people with order > 2: is 0
          ✗ time since the latest order or view > 21d: is 58m 59s  (until 2026-03-22 11:01:00.007)
            · 2026-03-01 11:01:00.006  order  (m2)
          ✗ number of times cart then no order for 2h between 3d and 1d ago ≥ 1: is 0
      What would turn it off:
        one of these
          time alone, at 2026-03-31 11:00:00, if nothing new happens
          not: trait city = "Shanghai"
      What was decided:
        2026-03-01 12:00:00  tag put on  good"
    `)
    expect(zh).toMatchInlineSnapshot(`
      "2026-03-01 12:00:00 (Asia/Shanghai)  user:u1 有标签 good，自 2026-03-01 12:00:00
        ✓ 满足其一
          ✓ 全部满足
            ✓ 标签 regular = 是：实际 是
              ✓ 最近 30天 order（含商品 category = "vegetable"）的次数 ≥ 2：实际 2  (至 2026-03-31 11:00:00)
                · 2026-03-01 11:01:00.006  order  (m2)
                · 2026-03-01 11:00:00  order  (m1)
            ✓ 资料 city = "Shanghai"：实际 "Shanghai"
          ✗ 不满足
            ✓ 本月 order（paid = 是）的 total 合计 < 200：实际 61
              · 2026-03-01 11:01:00.006  order  30.5  (m2)
              · 2026-03-01 11:00:00  order  30.5  (m1)
          ✗ 有 order 的人数（所属小区） > 2：实际 0
            ✗ community:c1：有 order 的人数 > 2：实际 0
          ✗ 距最近一次 order 或 view > 21天：实际 58分钟 59秒  (至 2026-03-22 11:01:00.007)
            · 2026-03-01 11:01:00.006  order  (m2)
          ✗ 3天前到 1天前 cart 然后 2小时内没有 order 的次数 ≥ 1：实际 0
      怎样会没有：
        满足其一
          到 2026-03-31 11:00:00，若无新事件，自动改变
          不再： 资料 city = "Shanghai"
      已作决定：
        2026-03-01 12:00:00  加上标签  good"
    `)
  })

  it('of a score has what each term gives', async () => {
    const { en, zh } = await texts('loyalty')
    expect(en).toMatchInlineSnapshot(`
      "2026-03-01 12:00:00 (Asia/Shanghai)  user:u1 has 25 points of the score loyalty, since 2026-03-01 12:00:00, until 2026-03-31 11:00:00
      Given by its terms:
        20 points: number of order, halving every 30d: is 2  (until 2026-03-31 11:00:00)
          · 2026-03-01 11:01:00.006  order  (m2)
          · 2026-03-01 11:00:00  order  (m1)
        5 points
          ✓ trait city = "Shanghai": is "Shanghai"
      To the next tier:
        5 more points of score loyalty
      What was decided:
        2026-03-01 12:00:00  score changed  loyalty  from=0  to=10
        2026-03-01 12:00:00  score changed  loyalty  from=10  to=20
        2026-03-01 12:00:00  score changed  loyalty  from=20  to=25"
    `)
    expect(zh).toMatchInlineSnapshot(`
      "2026-03-01 12:00:00 (Asia/Shanghai)  user:u1 有 25 分，分数 loyalty，自 2026-03-01 12:00:00，至 2026-03-31 11:00:00
      各项得分：
        20 分：order 的次数，每 30天 减半：实际 2  (至 2026-03-31 11:00:00)
          · 2026-03-01 11:01:00.006  order  (m2)
          · 2026-03-01 11:00:00  order  (m1)
        5 分
          ✓ 资料 city = "Shanghai"：实际 "Shanghai"
      升到下一等级：
        分数 loyalty 再增加 5
      已作决定：
        2026-03-01 12:00:00  分数变化  loyalty  from=0  to=10
        2026-03-01 12:00:00  分数变化  loyalty  from=10  to=20
        2026-03-01 12:00:00  分数变化  loyalty  from=20  to=25"
    `)
  })

  it('of a journey has where one is, and why one was let in', async () => {
    const { en, zh } = await texts('greet')
    expect(en).toMatchInlineSnapshot(`
      "2026-03-01 12:00:00 (Asia/Shanghai)  user:u1 is not in the journey greet
      To be let in:
        Event: 2026-03-01 11:01:00.006  order (m2)
        ✓ trait city = "Shanghai": is "Shanghai"
      What would let it in:
        event order"
    `)
    expect(zh).toMatchInlineSnapshot(`
      "2026-03-01 12:00:00 (Asia/Shanghai)  user:u1 不在旅程 greet
      进入条件：
        事件：2026-03-01 11:01:00.006  order (m2)
        ✓ 资料 city = "Shanghai"：实际 "Shanghai"
      怎样会进入：
        event order"
    `)
  })
})

describe('a decision as text', () => {
  it('is one line, and its trace a few', async () => {
    const world = await played()
    const [decision] = (await world.decisions()).filter(({ rule }) => rule === 'regular')
    if (decision === undefined) throw new Error('no decision')
    expect(formatDecision(decision, { timeZone: 'UTC' })).toMatchInlineSnapshot(
      `"2026-03-01 04:00:00  tag put on  regular"`,
    )
    expect(
      formatDecision({ ...decision, decision: 'message.deferred', reason: 'quiet hours' }, { language: 'zh' }),
    ).toMatchInlineSnapshot(`"2026-03-01 12:00:00  推迟发送  regular  reason=免打扰时段"`)
    expect(formatTrace(await world.engine.trace(decision))).toMatchInlineSnapshot(`
      "user:u1  2026-03-01 12:00:00  tag put on  regular
      The rule: 常客 (tag regular)
      Brought about by:
        2026-03-01 11:01:00.006  order  (m2)  {"total":30.5,"paid":true,"items":[{"category":"vegetable"}]}
      As it was then:
        2026-03-01 12:00:00 (Asia/Shanghai)  user:u1 has the tag 常客 (regular), since 2026-03-01 12:00:00, until 2026-03-31 11:00:00
          ✓ number of order with an item where category = "vegetable" in the last 30d ≥ 2: is 2  (until 2026-03-31 11:00:00)
            · 2026-03-01 11:01:00.006  order  (m2)
            · 2026-03-01 11:00:00  order  (m1)"
    `)
    await world.close()
  })
})
