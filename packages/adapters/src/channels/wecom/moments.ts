import type { Channel, MessageContent, Recipient } from '@linli/core'
import { type Content, resultOf, textOf, tooLong } from '../../wechat/results.js'
import type { WecomCorp } from './corp.js'
import { WECOM_VERDICTS } from './errcodes.js'

export interface WecomMomentsOptions {
  readonly corp: WecomCorp
  /** The channel's name in rules. Default `wecom-moments`. */
  readonly name?: string
  /** The member who is to post it. Default: the trait `wecomUserId`. */
  readonly address?: (to: Recipient) => unknown
}

const LONGEST_TEXT = 4000

/**
 * Asks a member to post to their customers' moments (客户朋友圈). The member confirms, so a task that WeCom took is
 * `awaiting_person`. `data.link` of a template adds a link (with `data.linkTitle`), `data.image` a picture by its media id.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/95094
 */
export function wecomMomentsChannel({ corp, name = 'wecom-moments', ...options }: WecomMomentsOptions): Channel {
  const address = options.address ?? ((to: Recipient) => to.traits['wecomUserId'])
  return {
    name,
    repeat: { kind: 'none' },
    async send({ to, content }, context) {
      const userId = textOf(address(to))
      if (userId === undefined) {
        return { status: 'refused', reason: 'recipient', detail: 'wecom.no_address: the recipient has no userid' }
      }
      const prepared = contentOf(content)
      if ('refused' in prepared) return prepared.refused
      const body = { ...prepared.body, visible_range: { sender_list: { user_list: [userId] } } }
      const path = '/cgi-bin/externalcontact/add_moment_task'
      const outcome = await corp.api.call({ path, body, signal: context.signal })
      return resultOf('wecom', outcome, context, WECOM_VERDICTS, ({ jobid }) => {
        const job = textOf(jobid)
        return { status: 'awaiting_person', ...(job !== undefined && { providerId: job }) }
      })
    },
  }
}

function contentOf({ title, body, data: { link, linkTitle, image } = {} }: MessageContent): Content {
  const content = title === undefined ? body : `${title}\n${body}`
  const refused = tooLong('wecom', content, LONGEST_TEXT)
  if (refused !== undefined) return refused
  const attachments = [
    ...(image === undefined ? [] : [{ msgtype: 'image', image: { media_id: image } }]),
    ...(link === undefined ? [] : [{ msgtype: 'link', link: { title: linkTitle ?? title ?? link, url: link } }]),
  ]
  return { body: { text: { content }, attachments } }
}
