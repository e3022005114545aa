import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { definePack, definitionsOf, loadPack } from '@linli/rules'
import type { IncomingEvent } from '../../src/ingest/event.js'
import { readEventFile } from '../../src/simulation/event-file.js'
import { journey, putTag, send, tag, template } from '../rules.js'
import type { Recording } from './twice.js'

const here = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const folder = process.env['LINLI_DATA'] ?? here('../../../../../shared/data')

/** A year of real orders, campaigns and coupons of 2,469 households. */
export const GROCERY_EVENTS = path.join(folder, 'completejourney', 'events.ndjson.gz')

const spent = (value: number) => ({
  fact: 'eventSum',
  params: { event: 'order_paid', property: 'total', within: '14d' },
  operator: 'greaterThanInclusive',
  value,
})

/** What a shop might do with them: every verb, at other times of the day and for other reasons. */
const JOURNEYS: readonly unknown[] = [
  journey(
    'campaign',
    [
      {
        id: 'redeemed',
        waitFor: { event: 'coupon_redeemed', timeout: '10d' },
        then: [putTag('mark', 'redeemer'), send('thanks', { class: 'service' })],
        else: [
          { id: 'evening', wait: { until: '18:30', weekdays: [5, 6], timeZone: 'America/New_York' } },
          send('remind', { channel: ['push', 'sms'] }),
        ],
      },
    ],
    {
      entry: { on: 'event', event: 'campaign_sent' },
      key: 'campaignId',
      goal: { event: 'coupon_redeemed', within: '30d' },
      holdout: 0.1,
    },
  ),
  journey(
    'taste',
    [
      { id: 'coupon', issue: { offer: 'fruit' }, else: [{ id: 'gone', exit: { reason: 'sold out' } }] },
      send('push'),
      {
        id: 'then',
        waitFor: {
          any: [
            { id: 'bought', event: 'order_paid', then: [{ id: 'say', emit: { event: 'came_back' } }] },
            { id: 'spends', conditions: spent(60), then: [{ id: 'note', set: { trait: 'spends', value: true } }] },
          ],
          timeout: '5d',
        },
        else: [send('again')],
      },
    ],
    { entry: { on: 'tag.added', tag: 'organic-lately' }, reentry: { after: '14d' } },
  ),
  journey(
    'basket',
    [
      { id: 'later', wait: '2h' },
      {
        id: 'how',
        branch: [{ conditions: spent(80), then: [send('much', { class: 'service' })] }],
        else: [
          {
            id: 'either',
            split: [
              { id: 'a', weight: 1, then: [send('little')] },
              { id: 'b', weight: 1 },
            ],
          },
        ],
      },
      { id: 'off', tag: { remove: 'redeemer' } },
    ],
    {
      entry: {
        on: 'event',
        event: 'order_paid',
        conditions: { fact: 'event', params: { property: 'total' }, operator: 'greaterThan', value: 20 },
      },
      reentry: { after: '7d' },
      exit: { on: 'tag.added', tag: 'redeemer' },
    },
  ),
]

const REST: readonly unknown[] = [
  tag('redeemer'),
  template('hello', '{{ journey.id }} {{ coupon.code | default: "-" }}'),
  { kind: 'offer', id: 'fruit', total: 3, expires: '7d' },
  { kind: 'policy', id: 'night', quietHours: { from: '22:00', to: '08:00', timeZone: 'America/New_York' } },
  { kind: 'policy', id: 'cap', cap: { max: 2, within: '7d', classes: ['promotion'] } },
]

/** The events between two instants, of one household in so many, and a week more for what follows from them. */
export async function groceryRecording(from: string, to: string, oneIn = 1): Promise<Recording> {
  const tags = definitionsOf(await loadPack(here('../packs/grocery')))
  const [start, end] = [Date.parse(from), Date.parse(to)]
  const events: IncomingEvent[] = []
  for await (const event of readEventFile(GROCERY_EVENTS)) {
    const at = Date.parse(String(event.timestamp))
    const household = Number(String(event.userId).slice('h-'.length))
    if (start <= at && at < end && household % oneIn === 0) events.push(event)
  }
  return { rules: definePack([...tags, ...JOURNEYS, ...REST]), events, until: end + 7 * 86_400_000 }
}
