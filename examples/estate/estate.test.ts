import { beforeAll, describe, expect, it } from 'vitest'
import { dayAndTime, LAUNCH } from './calendar.js'
import { Chronicle } from './chronicle.js'
import { ledgerOfLaunch, whyNot } from './launch-ledger.js'
import type { Item } from './products.js'
import { writeReport } from './report.js'
import { liveThroughMonth, type Story, TAG, TRIAL } from './story.js'

const SEED = 2026
const DAY_MS = 86_400_000

let story: Story
let chronicle: Chronicle

beforeAll(async () => {
  story = await liveThroughMonth({ seed: SEED })
  chronicle = new Chronicle(story)
})

/** The tag worked out anew from the orders, in the plainest way. */
function shouldHaveTag(userId: string, at: number): boolean {
  const orders = story.events
    .filter(({ event, timestamp }) => event === 'order_paid' && Number(timestamp) <= at)
    .filter((event) => event.userId === userId)
    .map(({ timestamp, properties }) => ({ at: Number(timestamp), items: properties?.['items'] as readonly Item[] }))
  const withItem = (category: string) => orders.filter(({ items }) => items.some((item) => item.category === category))
  const organic = withItem('organic_vegetable').filter((order) => at < order.at + 30 * DAY_MS)
  return organic.length >= 3 && withItem('fruit').length === 0
}

const ids = (neighbours: readonly { readonly id: string }[]) => neighbours.map(({ id }) => id)

describe('the example estate', () => {
  it('gives the tag to those who buy organic vegetables and never fruit, and to nobody else', () => {
    const had = story.neighbours.filter((neighbour) => chronicle.hadTag(neighbour, TAG, LAUNCH))
    expect(ids(had)).toEqual(ids(story.neighbours.filter(({ id }) => shouldHaveTag(id, LAUNCH))))
    expect(had).toHaveLength(14)
  })

  it('brings the new fruit to exactly those', () => {
    const entered = chronicle.whom('journey.entered', TRIAL)
    expect(ids(entered)).toEqual(ids(story.neighbours.filter(({ id }) => shouldHaveTag(id, LAUNCH))))
  })

  it('holds the night’s pushes back until eight in the morning', () => {
    const pushes = chronicle.all('message.accepted', TRIAL).filter((one) => one['template'] === 'fruit-trial')
    expect(pushes).toHaveLength(9)
    for (const { at, subject } of pushes) {
      expect(dayAndTime(at)).toBe('03-26 08:00')
      const deferred = chronicle.all('message.deferred', TRIAL).find((one) => one.subject === subject)
      expect(dayAndTime(deferred?.at ?? 0)).toBe('03-25 22:20')
    }
  })

  it('sends no promotion at night, to nobody twice over the cap, and to nobody without consent', () => {
    const promotions = chronicle.all('message.accepted').filter((one) => one['class'] === 'promotion')
    expect(promotions.length).toBeGreaterThan(15)
    for (const { at, subject } of promotions) {
      const hour = Number(dayAndTime(at).slice(6, 8))
      expect(hour >= 8 && hour < 22).toBe(true)
      const week = promotions.filter((one) => one.subject === subject && one.at <= at && one.at > at - 7 * DAY_MS)
      expect(week.length).toBeLessThanOrEqual(2)
      expect(chronicle.neighbour(subject)?.consent).not.toBe('never asked')
    }
  })

  it('issues no more coupons than there are, one for each person', () => {
    const issued = chronicle.all('coupon.issued', 'fruit-trial')
    expect(new Set(issued.map(({ subject }) => subject)).size).toBe(issued.length)
    expect(story.trialCoupons).toEqual({ issued: issued.length, total: issued.length })
  })

  it('says of everybody else why there was no message', () => {
    const reasons = Object.fromEntries(whyNot(chronicle).map(({ reason, names }) => [reason, names.length]))
    expect(reasons).toEqual({
      '7 天内已有两条推广 over the cap': 1,
      '已退订推广 opted out': 1,
      '没有同意过推广 no consent': 1,
      '券已发完，不打扰 coupons are gone': 2,
      '有过标签，上新前已买水果 has bought fruit since': 5,
      '不是这次要找的人 not in the audience': 41,
    })
  })

  it('falls back to SMS for who does not follow the mini program', () => {
    const bySms = story.sent.filter(({ channel, content }) => channel === 'sms' && content.template === 'fruit-trial')
    // Messages that are due at one instant leave in the order of their keys.
    const unreached = ids(story.neighbours.filter((one) => !one.followsMiniProgram))
    expect(bySms.map(({ to }) => to.id).sort()).toEqual([...unreached].sort())
  })

  it('suggests the milk bundle to the leader whose community asks for dairy', () => {
    const made = chronicle.all('suggestion.made', 'dairy-demand')
    expect(made).toMatchObject([{ subject: 'community:guihua', to: 'leader:leader-chen' }])
    const texts = story.deliveries
      .filter(({ source }) => source.journey === 'dairy-demand')
      .map(({ body }) => body.text)
    expect(texts).toEqual([expect.stringContaining('高钙奶组合装')])
  })

  it('thanks those who tasted, and tells the leaders of the others', () => {
    const after = ledgerOfLaunch(chronicle).filter(({ after }) => after !== '')
    expect(after).toHaveLength(9)
    expect(after.filter(({ after }) => after.includes('下单，发了感谢'))).toHaveLength(3)
  })

  it('tells the same story each time, in plain memory and in PostgreSQL', async () => {
    const report = writeReport(story)
    expect(writeReport(await liveThroughMonth({ seed: SEED }))).toBe(report)
    expect(writeReport(await liveThroughMonth({ seed: SEED, database: 'memory' }))).toBe(report)
  }, 60_000)

  it('keeps its story with another seed', async () => {
    const other = new Chronicle(await liveThroughMonth({ seed: 7 }))
    expect(other.whom('journey.entered', TRIAL)).toHaveLength(14)
    expect(other.all('suggestion.made', 'dairy-demand')).toMatchObject([{ subject: 'community:guihua' }])
  })
})
