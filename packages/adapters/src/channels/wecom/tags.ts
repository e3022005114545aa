import type { Channel, Recipient, SendContext, SendResult } from '@linli/core'
import type { JsonObject } from '../../http/json.js'
import type { ApiOutcome } from '../../wechat/api.js'
import { resultOf, textOf, unfit } from '../../wechat/results.js'
import type { WecomCorp } from './corp.js'
import { WECOM_VERDICTS } from './errcodes.js'
import { Slots } from './slots.js'

/** A customer as one member knows them: tags are of this relation. */
export interface WecomRelation {
  readonly externalUserId: string
  readonly memberUserId: string
}

export interface WecomTagsOptions {
  readonly corp: WecomCorp
  /** The channel's name in rules. Default `wecom-tags`. */
  readonly name?: string
  /** The group of tags (标签组) that these are kept in. It is made where there is none. Default `linli`. */
  readonly group?: string
  /** Default: the traits `externalUserId` and `wecomSender`. */
  readonly address?: (to: Recipient) => WecomRelation | undefined
}

/** How many calls that write customers WeCom takes at once from a company. */
const AT_ONCE = 5
const LONGEST_NAME = 30
/** The name is there already: somebody else has just made it. */
const NAME_EXISTS = 40071

/**
 * Puts customer tags on in WeCom and takes them off (企业客户标签), so that members see what linli knows. A template says
 * which: `data.add` and `data.remove`, each the name of one tag. Send it from a journey that `tag.added` or `tag.removed`
 * begins. To do it twice changes nothing. WeCom calls nobody back for it, so nothing echoes.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/92118, 92117
 */
export function wecomTagsChannel(options: WecomTagsOptions): Channel {
  const { corp, name = 'wecom-tags', group = 'linli', address = relationOf } = options
  const slots = new Slots(AT_ONCE)
  const names = new TagNames(corp, group)
  return {
    name,
    repeat: { kind: 'idempotent', windowMs: Number.MAX_SAFE_INTEGER },
    async send({ to, content: { data = {} } }, context) {
      const relation = address(to)
      if (relation === undefined) {
        return { status: 'refused', reason: 'recipient', detail: 'wecom.no_address: no customer of a member' }
      }
      const { add, remove } = data
      if (add === undefined && remove === undefined) return unfit('wecom.tags: data.add or data.remove').refused
      if ([add, remove].some((one) => one !== undefined && (one === '' || [...one].length > LONGEST_NAME))) {
        return unfit(`wecom.tags: a name has 1 to ${LONGEST_NAME} characters`).refused
      }
      return slots.run(() => mark(corp, names, relation, { add, remove }, context))
    },
  }
}

interface Marks {
  readonly add: string | undefined
  readonly remove: string | undefined
}

async function mark(
  { api }: WecomCorp,
  names: TagNames,
  { externalUserId, memberUserId }: WecomRelation,
  { add, remove }: Marks,
  context: SendContext,
): Promise<SendResult> {
  const ids: string[] = []
  for (const one of [add, remove]) {
    const found = one === undefined ? undefined : await names.idOf(one, context.signal)
    // Nothing has been done to the customer yet, whatever became of the tag itself.
    if (found?.outcome !== undefined)
      return resultOf('wecom', certainly(found.outcome), context, WECOM_VERDICTS, accepted)
    ids.push(found?.id ?? '')
  }
  const [added, removed] = ids.map((id) => (id === '' ? [] : [id]))
  const body = { userid: memberUserId, external_userid: externalUserId, add_tag: added, remove_tag: removed }
  const outcome = await api.call({ path: '/cgi-bin/externalcontact/mark_tag', body, signal: context.signal })
  return resultOf('wecom', outcome, context, WECOM_VERDICTS, accepted)
}

function accepted(): SendResult {
  return { status: 'accepted' }
}

function certainly(outcome: ApiOutcome): ApiOutcome {
  return outcome.kind === 'unknown' ? { kind: 'not_sent', code: outcome.code, isFinal: false } : outcome
}

function relationOf({ traits: { externalUserId, wecomSender } }: Recipient): WecomRelation | undefined {
  const [customer, member] = [textOf(externalUserId), textOf(wecomSender)]
  return customer === undefined || member === undefined ? undefined : { externalUserId: customer, memberUserId: member }
}

type Named = { readonly id: string; readonly outcome?: never } | { readonly outcome: ApiOutcome; readonly id?: never }

/** Knows the ids of tags by their names; makes those that are missing. One call at a time. */
class TagNames {
  readonly #ids = new Map<string, string>()
  readonly #turn = new Slots(1)

  constructor(
    private readonly corp: WecomCorp,
    private readonly group: string,
  ) {}

  idOf(name: string, signal: AbortSignal): Promise<Named> {
    return this.#turn.run(async () => {
      const known = this.#ids.get(name)
      if (known !== undefined) return { id: known }
      const listed = await this.ask('get_corp_tag_list', {}, signal)
      if (listed.kind !== 'answered' || listed.errcode !== 0) return { outcome: listed }
      this.learn(listed.json['tag_group'])
      const id = this.#ids.get(name)
      return id === undefined ? this.make(name, signal) : { id }
    })
  }

  private async make(name: string, signal: AbortSignal): Promise<Named> {
    const made = await this.ask('add_corp_tag', { group_name: this.group, tag: [{ name }] }, signal)
    if (made.kind === 'answered' && made.errcode === NAME_EXISTS) {
      const listed = await this.ask('get_corp_tag_list', {}, signal)
      if (listed.kind === 'answered') this.learn(listed.json['tag_group'])
    } else if (made.kind === 'answered' && made.errcode === 0) this.learn([made.json['tag_group']])
    const id = this.#ids.get(name)
    return id === undefined ? { outcome: made } : { id }
  }

  private ask(method: string, body: JsonObject, signal: AbortSignal): Promise<ApiOutcome> {
    return this.corp.api.call({ path: `/cgi-bin/externalcontact/${method}`, body, signal })
  }

  private learn(groups: unknown): void {
    if (!Array.isArray(groups)) return
    for (const group of groups as readonly JsonObject[]) {
      if (group?.['group_name'] !== this.group || !Array.isArray(group['tag'])) continue
      for (const { id, name } of group['tag'] as readonly JsonObject[]) this.#ids.set(String(name), String(id))
    }
  }
}
