import { formatExplanation } from '@linli/core'
import { BEGIN, DAY_MS, dayAndTime, END, LAUNCH } from './calendar.js'
import { Chronicle } from './chronicle.js'
import { ledgerOfLaunch, whyNot } from './launch-ledger.js'
import { COMMUNITIES } from './neighbours.js'
import { type Item, NEW_FRUIT } from './products.js'
import { type Story, TAG } from './story.js'
import { indent, table } from './text.js'

/** The month as a page of text, for marketers and developers. The same story gives the same page. */
export function writeReport(story: Story): string {
  const chronicle = new Chronicle(story)
  const sections = [
    heading(story),
    ...[tagged, launched, notReached, dairy, suggested, reminded, explained].map((section) => section(chronicle)),
  ]
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function heading({ neighbours, events }: Story): readonly string[] {
  const orders = events.filter(({ event }) => event === 'order_paid').length
  return [
    `邻里 linli · ${COMMUNITIES.map(({ name }) => name).join('、')}的三十天 · Thirty days of three communities`,
    `2026-${dayAndTime(BEGIN).slice(0, 5)} – 2026-${dayAndTime(END - 1).slice(0, 5)} · ${neighbours.length} 户 households · ${events.length} 个事件 events · ${orders} 单 orders`,
  ]
}

/** Who got the tag, and who has lost it since. */
function tagged(chronicle: Chronicle): readonly string[] {
  const rows = chronicle.whom('tag.added', TAG).map((neighbour) => {
    const added = chronicle.last(neighbour, 'tag.added', TAG)
    const removed = chronicle.last(neighbour, 'tag.removed', TAG)
    const lost = removed === undefined ? '' : `${dayAndTime(removed.at)} 买了水果，去掉`
    return [neighbour.name, neighbour.community.name, neighbour.home, `${dayAndTime(added?.at ?? 0)} 得到`, lost]
  })
  return [`① 谁得了标签「常买有机蔬菜、没买过水果」：${rows.length} 户 · Who got the tag`, ...indent(table(rows))]
}

/** What the launch brought to each of those who had the tag. */
function launched(chronicle: Chronicle): readonly string[] {
  const ledger = ledgerOfLaunch(chronicle)
  const { issued, total } = chronicle.story.trialCoupons
  const pushes = chronicle.story.sent.filter(({ content }) => content.template === 'fruit-trial')
  const [read] = pushes
  return [
    `② ${dayAndTime(LAUNCH)} 上新${NEW_FRUIT.name}，只找这时有标签的 ${ledger.length} 户 · What the new fruit brought them`,
    ...indent(table(ledger.map(({ neighbour, coupon, push, after }) => [neighbour.name, coupon, push, after]))),
    ...indent([`合计 in all：发券 coupons ${issued}/${total}，推送 pushes ${pushes.length}`, '']),
    ...indent([`${read?.to.traits['name']}收到的 · As received:`, `【${read?.content.title}】${read?.content.body}`]),
  ]
}

/** Everybody in the area who was told of the fruit and got no message, by reason. */
function notReached(chronicle: Chronicle): readonly string[] {
  const reasons = whyNot(chronicle)
  const silent = reasons.reduce((sum, { names }) => sum + names.length, 0)
  return [
    `③ 另外 ${silent} 户没有收到，为什么 · Who got no message, and why`,
    ...indent(
      table(
        reasons.map(({ reason, names }) => [
          String(names.length).padStart(2),
          reason,
          names.length > 5 ? '' : names.join('、'),
        ]),
      ),
    ),
  ]
}

/** The demand of the communities when it was noticed, and what the leader was told. */
function dairy({ story }: Chronicle): readonly string[] {
  const lines = story.deliveries
    .filter(({ source }) => source.journey === 'dairy-demand')
    .flatMap(({ subject, plannedAt, body }) => {
      const found = COMMUNITIES.find(({ id }) => id === subject.id)
      const rows = COMMUNITIES.map(({ id, name }) => [
        name,
        dairyDemand(story, id, plannedAt),
        id === subject.id ? '✓' : '',
      ])
      return [
        `${dayAndTime(plannedAt)} 之前 14 天 · the 14 days before:`,
        ...indent(table(rows)),
        `建议团长${found?.leaderName} · suggested to the leader:`,
        `  ${body.text}`,
      ]
    })
  return ['④ 哪个小区「奶类需求旺」 · Whose demand for dairy is high', ...indent(lines)]
}

function dairyDemand({ events }: Story, communityId: string, at: number): string {
  const orders = events
    .filter(
      ({ event, timestamp }) =>
        event === 'order_paid' && Number(timestamp) <= at && Number(timestamp) > at - 14 * DAY_MS,
    )
    .map(({ properties }) => properties as { readonly communityId: string; readonly items: readonly Item[] })
    .filter((order) => order.communityId === communityId)
    .map(({ items }) => items.filter(({ category }) => category === 'dairy'))
    .filter((items) => items.length > 0)
  const units = orders.flat().reduce((sum, { quantity }) => sum + quantity, 0)
  return `${orders.length} 单有奶 orders，${units} 份 units`
}

/** The other suggestions, leader by leader. */
function suggested(chronicle: Chronicle): readonly string[] {
  const rows = chronicle.all('suggestion.made').flatMap(({ at, subject, rule, to }) => {
    const neighbour = chronicle.neighbour(subject)
    const leader = COMMUNITIES.find(({ leaderId }) => `leader:${leaderId}` === to)
    const about = rule === 'welcome' ? '新邻居三天没下单，问候一声' : '尝鲜券没用，取货时请人尝一口'
    return neighbour === undefined ? [] : [[dayAndTime(at), `${leader?.leaderName}`, neighbour.name, about]]
  })
  return [`⑤ 给团长的另外 ${rows.length} 条建议 · More suggestions to leaders`, ...indent(table(rows))]
}

/** What became of the carts. */
function reminded(chronicle: Chronicle): readonly string[] {
  const filled = chronicle.all('journey.entered', 'cart-reminder').length
  const bought = chronicle.all('journey.exited', 'cart-reminder').filter(({ reason }) => reason === '已下单').length
  const sent = chronicle.all('message.accepted', 'cart-reminder').length
  const waited = chronicle.all('message.deferred', 'cart-reminder').length
  return [`⑥ 购物车：${filled} 个，${bought} 个两小时内下单；提醒 ${sent} 条，其中 ${waited} 条等到早上 8 点 · Carts`]
}

function explained({ story }: Chronicle): readonly string[] {
  const text = formatExplanation(story.explained, { language: 'zh' })
  return ['⑦ 为什么是这一位 · Why this person', ...indent(text.split('\n'))]
}
