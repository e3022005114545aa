/**
 * A pack over the events of the grocery year: 50 tags and 20 journeys of many shapes, with offers, caps and quiet hours.
 * The numbers are such that each journey is entered by some households and not by all.
 */
import { definePack, type Pack } from '@linli/rules'

const GROUPS = ['fruit', 'vegetable', 'dairy', 'meat', 'bakery']
const DEPARTMENTS = ['GROCERY', 'PRODUCE', 'DRUG GM', 'MEAT', 'DELI']
const STORES = ['367', '406', '356', '292', '31782']
const INCOMES = ['50-74K', '35-49K', '75-99K', '25-34K', 'Under 15K']

type Rule = Record<string, unknown>

const fact = (name: string, operator: string, value: unknown, params: Rule): Rule => ({
  fact: name,
  operator,
  value,
  params,
})
const least = (value: number, params: Rule = {}): Rule =>
  fact('eventCount', 'greaterThanInclusive', value, { event: 'order_paid', ...params })
const item = (property: string, value: unknown): Rule => ({ item: { fact: property, operator: 'equal', value } })
const tag = (id: string, conditions: Rule): Rule => ({ kind: 'tag', id, conditions })
const tagged = (id: string): Rule => fact('tag', 'equal', true, { id })

const wandering = fact('eventDistinct', 'greaterThan', 2, { event: 'order_paid', property: 'storeId', within: '120d' })

/** Ten shapes of tags, most of them five times; four more are put on by journeys. */
const TAGS = [
  tag('wandering', wandering),
  ...[0, 1, 2, 3, 4].flatMap((n) => {
    const group = item('group', GROUPS[n])
    return [
      tag(`often-${n}`, least(2 + n, { within: `${30 + 10 * n}d`, ...group })),
      tag(`never-${n}`, fact('eventCount', 'equal', 0, { event: 'order_paid', ...group })),
      tag(`often-not-${n}`, { all: [tagged(`often-${(n + 1) % 5}`), tagged(`never-${n}`)] }),
      tag(
        `spends-${n}`,
        fact('eventSum', 'greaterThan', 40 + 60 * n, {
          event: 'order_paid',
          property: 'total',
          within: `${14 + 7 * n}d`,
        }),
      ),
      tag(
        `buys-${n}`,
        fact('itemSum', 'greaterThanInclusive', 20 + 10 * n, {
          event: 'order_paid',
          property: 'amount',
          within: '60d',
          ...item('department', DEPARTMENTS[n]),
        }),
      ),
      tag(`lapsed-${n}`, {
        all: [least(3 + n), fact('sinceLastEvent', 'greaterThan', `${14 + 10 * n}d`, { event: 'order_paid' })],
      }),
      tag(`store-${n}`, fact('lastEvent', 'equal', STORES[n], { event: 'order_paid', property: 'storeId' })),
      tag(`quick-${n}`, least(2 + n, { during: n % 2 === 0 ? 'thisWeek' : 'thisMonth' })),
      tag(`asked-${n}`, {
        any: [
          least(1, { event: 'coupon_redeemed', within: `${20 + 10 * n}d` }),
          { all: [least(1, { event: 'campaign_sent' }), fact('trait', 'equal', INCOMES[n], { name: 'income' })] },
        ],
      }),
    ]
  }),
]

const send = (id: string, template: string, messageClass: string): Rule => ({
  id,
  send: { template, channel: ['wechat-miniprogram', 'sms'], class: messageClass },
})
const wait = (id: string, length: unknown): Rule => ({ id, wait: length })
const journey = (id: string, entry: Rule, steps: readonly Rule[], more: Rule = {}): Rule => {
  return { kind: 'journey', id, entry, steps, reentry: { after: '30d' }, ...more }
}
const onTag = (id: string, removed = false): Rule => ({ on: removed ? 'tag.removed' : 'tag.added', tag: id })
const onEvent = (event: string, conditions?: Rule): Rule => ({ on: 'event', event, ...(conditions && { conditions }) })
const goal = { event: 'order_paid', within: '14d' }
const bought = { on: 'event', event: 'order_paid' }
const end = (id: string): Rule => ({ id, exit: { reason: 'no coupon' } })

/** Five shapes of journeys, four of each. */
const JOURNEYS = [0, 1, 2, 3].flatMap((n) => [
  journey(
    `back-${n}`,
    onTag(`lapsed-${n}`),
    [
      { id: 'coupon', issue: { offer: `back-${n}` }, else: [end('none')] },
      send('push', 'coupon', 'promotion'),
      { id: 'came', waitFor: { event: 'order_paid', timeout: '5d' }, then: [send('thanks', 'hello', 'service')] },
      send('again', 'hello', 'promotion'),
    ],
    { goal, holdout: 0.05 },
  ),
  journey(
    `order-${n}`,
    onEvent('order_paid', {
      all: [tagged(`often-${n}`), fact('event', 'equal', STORES[n], { property: 'storeId' })],
    }),
    [
      wait('evening', { until: '18:30' }),
      {
        id: 'which',
        branch: [
          { conditions: tagged(`spends-${n}`), then: [send('big', 'order', 'content')] },
          { conditions: tagged(`asked-${n}`), then: [{ id: 'mark', tag: { add: `greeted-${n}` } }] },
        ],
        else: [send('small', 'order', 'service')],
      },
    ],
  ),
  journey(
    `try-${n}`,
    onTag(`often-not-${n}`),
    [
      {
        id: 'variant',
        split: [
          { id: 'coupon', weight: 1, then: [{ id: 'issue', issue: { offer: `try-${n}` } }, wait('day', '1d')] },
          { id: 'plain', weight: 1 },
        ],
      },
      send('push', 'hello', 'promotion'),
      {
        id: 'first',
        waitFor: {
          any: [
            { id: 'bought', event: 'order_paid', conditions: tagged(`spends-${n}`) },
            { id: 'used', event: 'coupon_redeemed' },
            { id: 'lapsed', conditions: tagged(`lapsed-${n}`) },
          ],
          timeout: '10d',
        },
      },
      { id: 'said', emit: { event: 'trial_over', properties: { group: GROUPS[n] } } },
    ],
    { goal },
  ),
  journey(
    `campaign-${n}`,
    onEvent('campaign_sent', fact('event', 'equal', `Type ${'ABCA'[n]}`, { property: 'campaignType' })),
    [
      wait('some', `${1 + n}d`),
      send('remind', 'campaign', 'content'),
      wait('more', '3d'),
      send('last', 'campaign', 'promotion'),
    ],
    { exit: n % 2 === 0 ? bought : { on: 'event', event: 'coupon_redeemed' }, key: 'campaignId' },
  ),
  journey(`left-${n}`, onTag(`buys-${n}`, true), [
    { id: 'trait', set: { trait: `left-${n}`, value: true } },
    wait('days', `${2 + n}d`),
    { id: 'still', branch: [{ conditions: tagged(`buys-${n}`), then: [end('back')] }] },
    send('miss', 'hello', 'content'),
  ]),
])

/** The pack. `more`: promotions a week that one person may get. */
export function groceryPack(promotions = 3): Pack {
  return definePack([
    ...TAGS,
    ...JOURNEYS,
    ...[0, 1, 2, 3].flatMap((n) => [
      { kind: 'tag', id: `greeted-${n}` },
      { kind: 'offer', id: `back-${n}`, total: 5000, perPerson: 5, expires: '14d', value: 3 + n },
      { kind: 'offer', id: `try-${n}`, total: 1000, expires: '30d', value: 5 },
    ]),
    { kind: 'template', id: 'hello', body: '{{ traits.name | default: "邻居" }}，今天的菜到了。' },
    { kind: 'template', id: 'coupon', body: '券 {{ coupon.code }}，抵 {{ coupon.value | money }} 元。' },
    { kind: 'template', id: 'order', body: '订单 {{ entry.orderId }}，共 {{ entry.total | money }} 元。' },
    { kind: 'template', id: 'campaign', body: '活动 {{ entry.campaignId }} 快结束了。' },
    { kind: 'policy', id: 'night', quietHours: { from: '22:00', to: '08:00', timeZone: 'Asia/Shanghai' } },
    { kind: 'policy', id: 'week', cap: { max: promotions, within: '7d', classes: ['promotion'] } },
    { kind: 'policy', id: 'day', cap: { max: 2, within: '1d', classes: ['content', 'promotion'] } },
  ])
}
