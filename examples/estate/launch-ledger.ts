import { dayAndTime, LAUNCH } from './calendar.js'
import type { Chronicle } from './chronicle.js'
import type { Neighbour } from './neighbours.js'
import { TAG, TRIAL } from './story.js'

/** What the launch brought to one neighbour. */
export interface LedgerLine {
  readonly neighbour: Neighbour
  readonly coupon: string
  readonly push: string
  readonly after: string
}

/** Why messages were withheld, in words. */
const REASONS: Readonly<Record<string, string>> = {
  'opted out': '已退订推广 opted out',
  'no consent': '没有同意过推广 no consent',
  cap: '7 天内已有两条推广 over the cap',
  'pool is empty': '券已发完，不打扰 coupons are gone',
}

/** One line for each neighbour whom the launch brought into the journey. */
export function ledgerOfLaunch(chronicle: Chronicle): readonly LedgerLine[] {
  return chronicle.whom('journey.entered', TRIAL).map((neighbour) => ({
    neighbour,
    coupon: couponOf(neighbour, chronicle),
    push: pushOf(neighbour, chronicle),
    after: afterwards(neighbour, chronicle),
  }))
}

function couponOf(neighbour: Neighbour, chronicle: Chronicle): string {
  const issued = chronicle.last(neighbour, 'coupon.issued', 'fruit-trial')
  return issued === undefined ? '没有券' : `${clock(issued.at)} 发券`
}

function pushOf(neighbour: Neighbour, chronicle: Chronicle): string {
  const deferred = chronicle.last(neighbour, 'message.deferred', TRIAL)
  const waited = deferred === undefined ? '' : `${clock(deferred.at)} 已夜深 → `
  const [sent] = accepted(neighbour, chronicle)
  if (sent !== undefined) {
    return `${waited}${clock(sent.at)} ${sent['channel'] === 'sms' ? '小程序到不了，改发短信' : '小程序推送'}`
  }
  const withheld = chronicle.last(neighbour, 'message.suppressed', TRIAL)
  return `${waited}${withheld === undefined ? '' : `${clock(withheld.at)} `}${reasonOf(neighbour, chronicle)}`
}

/** The trial's pushes that left; the thanks that follow a purchase are messages of the same journey. */
function accepted({ id }: Neighbour, chronicle: Chronicle) {
  return chronicle
    .all('message.accepted', TRIAL)
    .filter((one) => one.subject === `user:${id}` && one['template'] === 'fruit-trial')
}

function reasonOf(neighbour: Neighbour, chronicle: Chronicle): string {
  const decision =
    chronicle.last(neighbour, 'message.suppressed', TRIAL) ?? chronicle.last(neighbour, 'coupon.refused', TRIAL)
  const reason = String(decision?.['reason'])
  return REASONS[reason] ?? reason
}

function afterwards(neighbour: Neighbour, chronicle: Chronicle): string {
  const bought = chronicle.last(neighbour, 'journey.goal', TRIAL)
  if (bought !== undefined) return `${dayAndTime(bought.at)} 下单，发了感谢`
  const suggested = chronicle.last(neighbour, 'suggestion.made', TRIAL)
  return suggested === undefined ? '' : `${dayAndTime(suggested.at)} 没下单，请团长帮忙`
}

/** Everybody who heard of the launch and was sent nothing, by reason; the commonest last. */
export function whyNot(
  chronicle: Chronicle,
): readonly { readonly reason: string; readonly names: readonly string[] }[] {
  const byReason = new Map<string, string[]>()
  for (const neighbour of chronicle.story.neighbours) {
    if (accepted(neighbour, chronicle).length > 0) continue
    const reason = chronicle.hadTag(neighbour, TAG, LAUNCH)
      ? reasonOf(neighbour, chronicle)
      : notAddressed(neighbour, chronicle)
    byReason.set(reason, [...(byReason.get(reason) ?? []), neighbour.name])
  }
  const reasons = [...byReason].map(([reason, names]) => ({ reason, names }))
  return reasons.sort((a, b) => a.names.length - b.names.length || (a.reason < b.reason ? -1 : 1))
}

function notAddressed(neighbour: Neighbour, chronicle: Chronicle): string {
  const removed = chronicle.last(neighbour, 'tag.removed', TAG)
  return removed !== undefined && removed.at <= LAUNCH
    ? '有过标签，上新前已买水果 has bought fruit since'
    : '不是这次要找的人 not in the audience'
}

function clock(at: number): string {
  return dayAndTime(at).slice(6)
}
