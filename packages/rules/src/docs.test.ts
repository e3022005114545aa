import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { fold, START, viewOf } from '../testing/history.js'
import { holds } from './conditions/verdict.js'
import { FACT_TYPES } from './facts/catalogue.js'
import { FILTERS, TAGS } from './liquid.js'
import { checkPack, loadPack } from './loader.js'
import { DECORATOR_NAMES, OPERATOR_NAMES } from './operators.js'
import { compileProgram } from './program/compile.js'
import { DEFINITION_KINDS } from './schemas/definitions.js'
import { STEP_VERBS } from './schemas/step.js'
import type { EventRecord } from './subject.js'

const folder = fileURLToPath(new URL('../../../docs/examples', import.meta.url))
const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const page = read('write-a-rule.md') + read('write-a-journey.md')

const DAY = 86_400_000

function order(day: number, ...items: { category: string; quantity?: number }[]): EventRecord {
  const at = START + day * DAY
  return { messageId: `m${day}`, event: 'order_paid', at, properties: { total: 60, items } }
}

async function tagsOf(events: readonly EventRecord[], day: number): Promise<string[]> {
  const rules = compileProgram(await loadPack(folder)).subjects.user
  const features = fold(rules, events)
  const view = viewOf(features, START + day * DAY)
  return rules.tags.filter(({ condition }) => holds(condition.verdict(view))).map(({ id }) => id)
}

describe('the example pack of "Write a rule"', () => {
  it('is right, without a warning', async () => {
    expect((await checkPack(folder)).problems).toEqual([])
  })

  it('marks who bought organic vegetables three times in 30 days, until the third order is 30 days old', async () => {
    const orders = [1, 5, 9].map((day) => order(day, { category: 'organic_vegetable' }, { category: 'rice' }))
    expect(await tagsOf(orders.slice(0, 2), 9)).toEqual([])
    expect(await tagsOf(orders, 9)).toEqual(['organic-veg-never-fruit'])
    expect(await tagsOf(orders, 31 - 1 / DAY)).toEqual(['organic-veg-never-fruit'])
    expect(await tagsOf(orders, 31)).toEqual([])
    expect(await tagsOf([...orders, order(10, { category: 'fruit' })], 10)).toEqual([])
  })

  it('marks a regular as sleeping just after 21 days without an order', async () => {
    const regular = Array.from({ length: 10 }, (_, day) => order(day, { category: 'rice' }))
    expect(await tagsOf(regular, 9 + 21)).toEqual([])
    expect(await tagsOf(regular, 9 + 21 + 1 / DAY)).toEqual(['sleeping'])
    expect(await tagsOf(regular.slice(0, 8), 60)).toEqual([])
    // Nine orders of 60 are more than 500.
    expect(await tagsOf(regular.slice(0, 9), 60)).toEqual(['sleeping'])
  })

  it('marks who used to browse, once a month of their own has begun without it', async () => {
    const viewed = (day: number): EventRecord => ({ ...order(day), event: 'product_viewed', messageId: `v${day}` })
    const events = [0, 1, 2, 33].map(viewed)
    // Day 59 is 1 March; in Shanghai it begins eight hours earlier.
    const march = 59 - 8 / 24
    expect(await tagsOf(events, march - 1 / DAY)).toEqual([])
    expect(await tagsOf(events, march)).toEqual(['used-to-browse'])
    expect(await tagsOf([...events, viewed(60)], 60)).toEqual([])
    expect(await tagsOf(events, 91 - 1 / DAY)).toEqual(['used-to-browse'])
    expect(await tagsOf(events, 91)).toEqual([])
  })

  it('marks a cart exactly two hours after it was left, and not the one that was paid', async () => {
    const cart = (hour: number, event: string, cartId: string): EventRecord => {
      return { messageId: `${event}${hour}`, event, at: START + (hour / 24) * DAY, properties: { cartId } }
    }
    const left = [cart(0, 'cart_added', 'c1'), cart(1, 'cart_added', 'c2'), cart(1.5, 'order_paid', 'c1')]
    expect(await tagsOf(left, 3 / 24 - 1 / DAY)).toEqual([])
    expect(await tagsOf(left, 3 / 24)).toEqual(['left-in-cart'])
    expect(await tagsOf(left, 3 / 24 + 3)).toEqual([])
  })

  it('marks an estate while three of ten orders hold dairy and twenty people have ordered', async () => {
    const { community } = compileProgram(await loadPack(folder)).subjects
    const tag = community.tagsById.get('dairy-estate')
    const orders = Array.from({ length: 20 }, (_, day): EventRecord => {
      return { ...order(day, { category: day % 10 < 3 ? 'dairy' : 'rice' }), userId: `u${day}` }
    })
    const until = (events: readonly EventRecord[], day: number) =>
      tag?.condition.verdict(viewOf(fold(community, events), START + day * DAY))
    expect(until(orders.slice(0, 19), 19)).toBe(Number.NEGATIVE_INFINITY)
    // The first order is dairy: without it there are too few people, and too little dairy.
    expect(until(orders, 19)).toBe(START + 30 * DAY)
    expect(until([...orders, { ...order(19.5, { category: 'rice' }), userId: 'u1' }], 20)).toBeLessThan(0)
  })

  it('marks an estate whose orders hold dairy 1.5 times as often as elsewhere, and the ten that sold most', async () => {
    const { community } = compileProgram(await loadPack(folder)).subjects
    const orders = Array.from({ length: 20 }, (_, day): EventRecord => {
      return { ...order(day, { category: day % 10 < 3 ? 'dairy' : 'rice' }), userId: `u${day}` }
    })
    const tagsBeside = (dairy: number, ahead: number) => {
      const others = () => ({ at: START, count: 30, total: [dairy, 100], above: () => ahead })
      const view = viewOf(fold(community, orders), START + 20 * DAY, { others })
      return ['loves-dairy', 'top-estate'].filter((id) =>
        holds(community.tagsById.get(id)?.condition.verdict(view) ?? -1),
      )
    }
    expect(tagsBeside(20, 9)).toEqual(['loves-dairy', 'top-estate'])
    expect(tagsBeside(21, 10)).toEqual([])
  })

  it("reads the community's own sum for those who belong to it", async () => {
    const { subjects } = compileProgram(await loadPack(folder))
    const kept = subjects.community.tags.find(({ kind }) => kind === 'verdict')
    const milk = (day: number) => order(day, { category: 'dairy', quantity: 21 })
    const features = fold(subjects.community, [milk(0), milk(1)])
    expect(kept?.readAs).toBe('community')
    expect(kept?.condition.verdict(viewOf(features, START + DAY))).toBe(START + 7 * DAY)
    const belongs = viewOf({}, START, { relatedHolds: (relation, id) => relation === 'community' && id === kept?.id })
    expect(holds(subjects.user.tagsById.get('in-dairy-community')?.condition.verdict(belongs) ?? 0)).toBe(true)
  })

  it('adds up the loyalty of a neighbour, and halves what is past', async () => {
    const rules = compileProgram(await loadPack(folder)).subjects.user
    const loyalty = rules.scoresById.get('loyalty')
    const features = fold(rules, [
      ...[0, 1, 2].map((day) => order(day, { category: 'rice' })),
      { messageId: 'back', event: 'refund_requested', at: START + 3 * DAY, properties: {} },
    ])
    // Three orders of 60: 18 points for what was spent, 10 for each order, 15 less for the refund.
    expect(loyalty?.evaluate(viewOf(features, START + 3 * DAY))[0]).toBe(33)
    // One order is 30 days old.
    expect(loyalty?.evaluate(viewOf(features, START + 30 * DAY))).toEqual([28, START + 31 * DAY])
    expect(loyalty?.explain(viewOf(features, START + 365 * DAY)).value).toBe(-0.9375)
  })

  it('renders its templates', async () => {
    const { templates } = compileProgram(await loadPack(folder))
    const variables = {
      traits: {},
      entry: { productName: '红富士', productId: 'p7' },
      coupon: { code: 'X1', value: 5 },
    }
    expect(templates.get('fruit-trial')?.render(variables)).toEqual({
      ok: true,
      content: {
        title: '红富士到了',
        body: '邻居，红富士刚到自提点。新邻居尝鲜券 X1，抵 5.00 元。',
        data: { page: 'pages/product?id=p7' },
      },
    })
  })
})

describe('the pages "Write a rule" and "Write a journey"', () => {
  it.each([
    ['fact', [...FACT_TYPES.keys()]],
    ['operator', OPERATOR_NAMES],
    ['decorator', DECORATOR_NAMES],
    ['kind', DEFINITION_KINDS],
    ['template filter', FILTERS],
    ['template tag', TAGS],
  ])('names every %s', (_, names) => {
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })

  it('names every verb of steps', () => {
    expect(STEP_VERBS.filter((verb) => !page.includes(`\`"${verb}": `))).toEqual([])
  })

  it('has each fact with its summary and its params', () => {
    for (const { name, summary, params } of FACT_TYPES.values()) {
      const keys = Object.keys((params as unknown as { shape: object }).shape)
      expect(page).toContain(`| \`${name}\` | ${summary} | ${keys.map((key) => `\`${key}\``).join(', ')} |`)
    }
  })
})
