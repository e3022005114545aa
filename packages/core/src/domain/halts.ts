import type { Halt, HaltTarget, Program } from '@linli/rules'

/** `everything`, `journey:welcome`, `channel:sms` */
export function haltName(target: HaltTarget): string {
  if (target === 'everything') return target
  return 'journey' in target ? `journey:${target.journey}` : `channel:${target.channel}`
}

/** What keeps people out of a journey. Where everything is paused they enter, and wait at the first step that wishes for something. */
export function entryHalt({ halts = [] }: Program, journey: string): Halt | undefined {
  const own = halts.find(({ target }) => haltName(target) === haltName({ journey }))
  return own ?? halts.find(({ target, state }) => target === 'everything' && state === 'stopped')
}

/** What keeps something from leaving: what is stopped before what is paused. Only messages have a channel, and coupons that somebody else issues. */
export function deliveryHalt(
  { halts = [] }: Program,
  { journey, channel }: { readonly journey: string; readonly channel?: string | undefined },
): Halt | undefined {
  const ways = ['everything', haltName({ journey }), ...(channel === undefined ? [] : [haltName({ channel })])]
  const found = halts.filter(({ target }) => ways.includes(haltName(target)))
  return found.find(({ state }) => state === 'stopped') ?? found[0]
}
