import { type Kysely, sql } from 'kysely'
import type { IncomingEvent } from '../src/ingest/event.js'
import type { Channel, SendResult } from '../src/ports/channel.js'
import { journey, send, tag, template, wait } from './rules.js'

// Somebody of whom every text that linli can keep is unmistakable, in every place where it can keep one.

/** It is in every text of hers, and in no other. */
export const MARK = 'kanari'
const of = (what: string) => `${MARK}-${what}`

/** Where her messages end up: each channel answers otherwise. */
export const FATES: Readonly<Record<string, SendResult>> = {
  accepts: { status: 'accepted', providerId: of('provider') },
  refuses: { status: 'refused', reason: 'recipient', detail: of('refusal') },
  defers: { status: 'deferred', retryAt: new Date(Date.UTC(2027, 0)), detail: of('deferral') },
  asks: { status: 'awaiting_person', providerId: of('person') },
}

/** A channel that answers so about her, and accepts what is for others. */
export function marked(
  name: string,
  send: Channel['send'] = async () => FATES[name] ?? { status: 'accepted' },
): Channel {
  return {
    name,
    repeat: { kind: 'none' },
    send: async (message, context) => (message.to.id.includes(MARK) ? send(message, context) : { status: 'accepted' }),
  }
}

/** Channels that lose track of what was sent. */
export const lossy = (name: string, repeat: Channel['repeat']): Channel => ({
  ...marked(name, () => Promise.reject(new Error(of('failure')))),
  repeat,
})

const community = { subject: 'community' }
const onOrder = { entry: { on: 'event', event: 'order' }, reentry: 'always' }
const says = [
  template('hello', '{{ traits.name }} {{ entry.phone }}'),
  template('tip', '{{ entry.phone }} {{ digest.events[0].phone }}'),
]
const told = [
  template('news', '{{ entry.phone }} {{ entry.items[0].name }}'),
  template('many', '{% for one in digest.events %}{{ one.phone }}{% endfor %}'),
]

export const CHANNELS = [...Object.keys(FATES), 'lost', 'doubtful', 'halted']

/** Rules under which others keep what she said: her community, her leader, those she is compared with. */
export const PEOPLE_RULES: readonly unknown[] = [
  ...says,
  ...told,
  { kind: 'offer', id: 'trial', total: 100 },
  ...CHANNELS.map((channel) => journey(`by-${channel}`, [send('push', { channel }), wait('then', '30d')], onOrder)),
  journey('hurry', [send('push', { channel: 'slow' })], { entry: { on: 'event', event: 'hurried' } }),
  journey('gift', [{ id: 'coupon', issue: { offer: 'trial' } }, send('push', { channel: 'defers' })], {
    entry: { on: 'event', event: 'gifted' },
  }),
  journey(
    'say',
    [
      { id: 'set', set: { trait: 'size', value: '大' } },
      { id: 'emit', emit: { event: 'asked' } },
    ],
    onOrder,
  ),
  journey('to-leader', [{ id: 'tell', suggest: { to: 'leader', template: 'hello', expires: '9d' } }], onOrder),
  journey(
    'collect',
    [{ id: 'all', digest: { event: 'order', for: '9d' } }, send('push', { template: 'many', channel: 'accepts' })],
    onOrder,
  ),
  journey('each', [wait('long', '30d')], {
    ...onOrder,
    key: 'orderId',
    reentry: { after: '60d' },
  }),
  journey('c-each', [wait('short', '1m'), wait('long', '30d')], {
    ...onOrder,
    ...community,
    key: 'orderId',
    reentry: { after: '60d' },
    goal: { event: 'reached', within: '90d' },
  }),
  journey('c-tell', [{ id: 'tell', suggest: { to: 'leader', template: 'news', expires: '9d' } }, wait('long', '30d')], {
    ...onOrder,
    ...community,
  }),
  journey('c-send', [send('push', { template: 'news', channel: 'accepts', class: 'service' })], {
    ...onOrder,
    ...community,
  }),
  journey(
    'c-collect',
    [{ id: 'all', digest: { event: 'order', for: '9d' } }, send('push', { template: 'many', channel: 'accepts' })],
    { ...onOrder, ...community },
  ),
  journey('l-tell', [send('push', { template: 'news', channel: 'defers', class: 'service' })], {
    ...onOrder,
    subject: 'leader',
  }),
  tag(
    'two-people',
    { fact: 'userCount', operator: 'greaterThan', value: 1, params: { event: 'order', within: '30d' } },
    community,
  ),
  tag(
    'phones',
    { fact: 'eventDistinct', operator: 'greaterThan', value: 1, params: { event: 'order', property: 'phone' } },
    community,
  ),
  tag('phones-seen', {
    fact: 'eventDistinct',
    operator: 'greaterThan',
    value: 1,
    params: { event: 'order', property: 'phone' },
  }),
]

let count = 0
const id = () => of(`m-${++count}`)
const known = { externalIds: [{ type: 'openid', id: of('openid') }] }
export const HER = of('u-1')

/** What she does: as a visitor, by her openid, under two ids, and once in contradiction to herself. */
export function herEvents(): readonly IncomingEvent[] {
  const order = { phone: of('phone'), orderId: of('order'), items: [{ name: of('item') }] }
  const twice = id()
  return [
    { event: 'viewed', anonymousId: of('visitor'), messageId: id(), properties: { page: of('page') } },
    {
      type: 'identify',
      userId: HER,
      anonymousId: of('visitor'),
      messageId: id(),
      traits: { name: of('name') },
      context: known,
    },
    { type: 'identify', userId: of('u-2'), messageId: id(), traits: { phone: of('phone') } },
    { type: 'alias', userId: HER, previousId: of('u-2'), messageId: id() },
    { type: 'group', userId: HER, groupId: 'c-1', messageId: id(), traits: { leaderId: 'l-1' } },
    { event: 'consent_granted', userId: HER, messageId: id() },
    { event: 'order', userId: HER, messageId: id(), properties: order },
    { event: 'order', userId: of('u-2'), messageId: twice, properties: { ...order, orderId: of('order-2') } },
    { event: 'order', userId: HER, messageId: twice, properties: { phone: of('another') } },
    { event: 'gifted', userId: HER, messageId: id(), properties: { phone: of('phone') } },
    { event: 'order', userId: HER, messageId: id(), timestamp: 'never' },
  ]
}

/** All rows of all tables of a schema, by table, as text. */
export async function dump(db: Kysely<unknown>, schema: string): Promise<ReadonlyMap<string, string>> {
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = ${schema} order by 1
  `.execute(db)
  const found = new Map<string, string>()
  for (const { name } of tables.rows) {
    const rows = await sql<{ row: string }>`select t::text as row from ${sql.id(schema, name)} as t`.execute(db)
    found.set(name, rows.rows.map(({ row }) => row).join('\n'))
  }
  return found
}

/** The lines of a dump that have a text of hers in them. */
export function tracesIn(tables: ReadonlyMap<string, string>): readonly string[] {
  return [...tables].flatMap(([table, text]) =>
    text
      .split('\n')
      .filter((line) => line.includes(MARK))
      .map((line) => `${table}: ${line}`),
  )
}
