import type { Channel, Recipient, SendResult } from '@linli/core'
import type { JsonObject } from '../../http/json.js'
import { requireText } from '../../http/secret.js'
import { again, refuse, resultOf, textOf, unfit, type Verdict, type Verdicts } from '../../wechat/results.js'
import { ADAPTER, type MiniProgram } from './app.js'
import type { ConsentLedger } from './ledger.js'
import { valuesFor } from './values.js'

export interface SubscribeMessageOptions {
  readonly app: MiniProgram
  /** Who has allowed what. */
  readonly ledger: ConsentLedger
  /** The channel's name in rules. Default `wechat-miniprogram`. */
  readonly name?: string
  /** The person's openid in this mini-program. Default: the trait `openid`. */
  readonly address?: (to: Recipient) => unknown
  /** Which version of the mini-program a tap opens. Default `formal`. */
  readonly state?: 'formal' | 'trial' | 'developer'
  /** Whether a text that is too long for its key (`thing`) is cut and ends in `…`; else it is refused. Default false. */
  readonly cut?: boolean
}

const MINUTE_MS = 60_000
/** Refused by the person, or used up. */
const NO_CONSENT = 43101

/** https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html */
const VERDICTS: Verdicts = new Map<number, Verdict>([
  [-1, again(1000)],
  [45011, again(MINUTE_MS)],
  // All messages of a day are used up.
  [45009, again(60 * MINUTE_MS)],
  [40001, again(MINUTE_MS)],
  [40014, again(MINUTE_MS)],
  [42001, again(MINUTE_MS)],
  [40003, refuse('recipient')],
  [NO_CONSENT, refuse('recipient')],
  [40037, refuse('configuration')],
  [41030, refuse('configuration')],
  [40013, refuse('configuration')],
  [48001, refuse('configuration')],
  [47003, refuse('content')],
  [45168, refuse('content')],
])

/**
 * Subscription messages of a mini-program (订阅消息): each is one that the person has allowed, by a tap in the mini-program.
 * A template names WeChat's own by `data.templateId`; `data.page` is opened by a tap; every field whose name WeChat knows
 * (`thing1`, `amount2`, `time3` …) is a value, and is checked before it is sent.
 *
 * A message of unknown outcome is never repeated, and what it took from the ledger stays taken.
 *
 * @throws {AdapterError} `wechat-miniprogram.option_invalid`
 */
export function subscribeMessageChannel(options: SubscribeMessageOptions): Channel {
  const { app, ledger, name = ADAPTER, state = 'formal', cut = false } = options
  const address = options.address ?? ((to: Recipient) => to.traits['openid'])
  requireText(ADAPTER, 'name', name, 'the name that rules use')
  return {
    name,
    repeat: { kind: 'none' },
    async send({ to, content: { data = {} } }, context) {
      const openid = textOf(address(to))
      if (openid === undefined) return noAddress('no openid')
      const { templateId, page, ...fields } = data
      if (templateId === undefined) return unfit(`${ADAPTER}.template: data.templateId`).refused
      const values = valuesFor(fields, cut)
      if (values.problem !== undefined) return unfit(`${ADAPTER}.value: ${values.problem}`).refused
      const consent = { openid, templateId }
      if (!(await ledger.take(consent))) return noAddress('no consent is left')
      const body = {
        touser: openid,
        template_id: templateId,
        ...(page !== undefined && { page }),
        miniprogram_state: state,
        lang: 'zh_CN',
        data: values.data,
      }
      const outcome = await app.api.call({ path: '/cgi-bin/message/subscribe/send', body, signal: context.signal })
      const result = resultOf(ADAPTER, outcome, context, VERDICTS, taken)
      if (outcome.kind === 'answered' && outcome.errcode === NO_CONSENT) await ledger.clear(consent)
      else if (result.status !== 'accepted') await ledger.add(consent)
      return result
    },
  }
}

function taken({ msgid }: JsonObject): SendResult {
  const providerId = textOf(msgid)
  return { status: 'accepted', ...(providerId !== undefined && { providerId }) }
}

function noAddress(why: string): SendResult {
  return { status: 'refused', reason: 'recipient', detail: `${ADAPTER}.no_address: ${why}` }
}
