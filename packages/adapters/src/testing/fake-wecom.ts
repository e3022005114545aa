import { parseObject } from '../http/json.js'
import { type CallbackOptions, callbackRequest } from './fake-callbacks.js'
import { FakePlatform } from './fake-platform.js'
import type { FakeAnswer, FakeRequest } from './fake-server.js'

export interface FakeWecomOptions {
  readonly corpId?: string
  readonly secret?: string
  /** Keys of robots that there are. */
  readonly robots?: readonly string[]
  /** Members and customers by whose ids nobody is known. */
  readonly unknown?: readonly string[]
  readonly port?: number
}

/** Something that WeCom took. */
export interface FakeWecomTaken {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

/** A member of a customer group, as WeCom tells it. */
export interface FakeGroupMember {
  readonly userid: string
  /** 1: of the company. 2: not. Default 2. */
  readonly type?: 1 | 2
  readonly unionid?: string
  /** Seconds since the epoch. */
  readonly join_time: number
  /** 1 invited, 2 by a link, 3 by a code. Default 3. */
  readonly join_scene?: 1 | 2 | 3
}

interface FakeGroup {
  readonly version: string
  readonly members: readonly FakeGroupMember[]
}

type Body = Readonly<Record<string, unknown>>
type Tag = { readonly id: string; readonly name: string }

const OK = { errcode: 0, errmsg: 'ok' }

/**
 * A WeCom on this machine, for tests of channels and of shops that use them: tokens that expire, a duplicate check, tasks
 * that members confirm, tags. Nothing of it reaches WeCom.
 *
 * @example
 * const wecom = await startFakeWecom()
 * const corp = new WecomCorp({ corpId: wecom.corpId, secret: wecom.secret, baseUrl: wecom.url })
 */
export async function startFakeWecom(options: FakeWecomOptions = {}): Promise<FakeWecom> {
  const wecom = new FakeWecom(options)
  await wecom.listen(options.port)
  return wecom
}

export class FakeWecom extends FakePlatform {
  readonly corpId: string
  readonly secret: string
  /** Everything it took, in order; repeats that the duplicate check dropped are not here. */
  readonly taken: FakeWecomTaken[] = []
  /** How many tokens it gave. */
  tokensGiven = 0
  readonly #unknown: ReadonlySet<string>
  readonly #robots: ReadonlySet<string>
  readonly #tags: Tag[] = []
  readonly #marks = new Map<string, Set<string>>()
  readonly #results = new Map<string, Map<string, number>>()
  readonly #groups = new Map<string, { now: FakeGroup; before: FakeGroup | undefined; lag: number }>()
  #changes = 0
  #token: string | undefined
  #retired = new Set<string>()

  constructor({ corpId = 'ww-fake', secret = 'fake-wecom-secret', robots = [], unknown = [] }: FakeWecomOptions) {
    super()
    this.corpId = corpId
    this.secret = secret
    this.#robots = new Set(robots)
    this.#unknown = new Set(unknown)
  }

  /** Its token is not good any more. */
  expireToken(): void {
    if (this.#token !== undefined) this.#retired.add(this.#token)
    this.#token = undefined
  }

  /** What became of a task's message: 1 sent, 2 not a contact any more, 3 had their share. Left alone, it is 0. */
  settle(msgid: string, recipient: string, status: 1 | 2 | 3): void {
    this.#results.get(msgid)?.set(recipient, status)
  }

  /** The names of the tags that a member's customer has. */
  tagsOf(memberUserId: string, externalUserId: string): readonly string[] {
    const ids = this.#marks.get(`${memberUserId} ${externalUserId}`) ?? new Set<string>()
    return this.#tags.filter(({ id }) => ids.has(id)).map(({ name }) => name)
  }

  /**
   * Who is in a customer group from now on; undefined: it is dismissed. `lag`: so many times WeCom gives the list of before.
   * Gives what callbacks name the lists before and after by.
   */
  setGroup(chatId: string, members: readonly FakeGroupMember[] | undefined, lag = 0) {
    const before = this.#groups.get(chatId)?.now
    this.#changes += 1
    const version = `version-${this.#changes}`
    if (members === undefined) this.#groups.delete(chatId)
    else this.#groups.set(chatId, { now: { version, members }, before, lag })
    return { LastMemVer: before?.version ?? '', CurMemVer: version }
  }

  /** Posts a callback to your server, as 接收消息服务器配置 does. `fields`: what it says, such as `Event` and `ChangeType`. */
  post(
    url: string,
    fields: Readonly<Record<string, unknown>>,
    keys: Pick<CallbackOptions, 'token' | 'encodingAesKey'>,
  ): Promise<Response> {
    return fetch(callbackRequest(url, fields, { ...keys, receiveId: this.corpId }))
  }

  protected answer({ path, query, body: text }: FakeRequest): FakeAnswer {
    if (path === '/cgi-bin/gettoken') return { body: this.#giveToken(query) }
    const body = parseObject(text) ?? {}
    if (path === '/cgi-bin/webhook/send') {
      return { body: this.#robots.has(query['key'] ?? '') ? this.#take(path, body) : { errcode: 93000 } }
    }
    const { access_token: token = '' } = query
    if (token === '') return { body: { errcode: 41001 } }
    if (this.#retired.has(token)) return { body: { errcode: 42001 } }
    if (token !== this.#token) return { body: { errcode: 40014 } }
    const handle =
      this.#handlers.get(path.slice(path.indexOf('/groupchat/') + 1)) ??
      this.#handlers.get(path.slice(path.lastIndexOf('/') + 1))
    return handle === undefined ? { status: 404, body: 'no such path' } : { body: handle(path, body) }
  }

  readonly #handlers: ReadonlyMap<string, (path: string, body: Body) => Body> = new Map([
    ['send', (path: string, body: Body) => this.#sendToMember(path, body)],
    ['add_msg_template', (path: string, body: Body) => this.#addTask(path, body)],
    ['get_groupmsg_list_v2', () => this.#listTasks()],
    ['get_groupmsg_task', () => ({ ...OK, task_list: [{ userid: 'wang', status: 2 }] })],
    ['get_groupmsg_send_result', (_: string, body: Body) => this.#resultsOf(String(body['msgid']))],
    ['remind_groupmsg_send', (path: string, body: Body) => this.#take(path, body)],
    ['cancel_groupmsg_send', (path: string, body: Body) => this.#take(path, body)],
    ['send_welcome_msg', (path: string, body: Body) => this.#take(path, body)],
    [
      'add_moment_task',
      (path: string, body: Body) => ({ ...this.#take(path, body), jobid: `job-${this.taken.length}` }),
    ],
    ['get_corp_tag_list', () => ({ ...OK, tag_group: [{ group_id: 'g', group_name: 'linli', tag: this.#tags }] })],
    ['add_corp_tag', (_: string, body: Body) => this.#addTag(body)],
    ['groupchat/get', (_: string, body: Body) => this.#groupOf(String(body['chat_id']))],
    [
      'groupchat/list',
      () => ({ ...OK, group_chat_list: [...this.#groups.keys()].map((id) => ({ chat_id: id, status: 0 })) }),
    ],
    ['mark_tag', (path: string, body: Body) => this.#mark(path, body)],
  ])

  #giveToken({ corpid, corpsecret }: Readonly<Record<string, string>>): Body {
    if (corpid !== this.corpId) return { errcode: 40013 }
    if (corpsecret !== this.secret) return { errcode: 40001 }
    // The same as long as it is good, as WeCom gives it.
    if (this.#token === undefined) {
      this.tokensGiven += 1
      this.#token = `fake-token-${this.tokensGiven}`
    }
    return { ...OK, access_token: this.#token, expires_in: 7200 }
  }

  #take(path: string, body: Body): Body {
    this.taken.push({ path, body })
    return OK
  }

  #sendToMember(path: string, body: Body): Body {
    const userId = String(body['touser'])
    if (this.#unknown.has(userId)) return { errcode: 81013 }
    const same = this.taken.find((one) => one.path === path && JSON.stringify(one.body) === JSON.stringify(body))
    if (same === undefined || body['enable_duplicate_check'] !== 1) this.#take(path, body)
    return { ...OK, msgid: `msg-${this.taken.length}`, invaliduser: '' }
  }

  #addTask(path: string, body: Body): Body {
    const ids = (body['external_userid'] ?? body['chat_id_list']) as readonly string[]
    const failed = ids.filter((id) => this.#unknown.has(id))
    if (failed.length === ids.length) return { errcode: 84061 }
    this.#take(path, body)
    const msgid = `task-${this.taken.length}`
    this.#results.set(msgid, new Map(ids.filter((id) => !failed.includes(id)).map((id) => [id, 0])))
    return { ...OK, fail_list: failed, msgid }
  }

  #groupOf(chatId: string): Body {
    const group = this.#groups.get(chatId)
    if (group === undefined) return { errcode: 40050 }
    const shown = group.lag > 0 && group.before !== undefined ? group.before : group.now
    group.lag -= 1
    const members = shown.members.map((one) => ({ type: 2, join_scene: 3, ...one }))
    return {
      ...OK,
      group_chat: { chat_id: chatId, owner: 'wang', member_list: members, member_version: shown.version },
    }
  }

  #listTasks(): Body {
    const tasks = this.taken.flatMap(({ path, body }, index) =>
      path.endsWith('add_msg_template') ? [{ msgid: `task-${index + 1}`, text: body['text'], creator: 'wang' }] : [],
    )
    return { ...OK, group_msg_list: tasks.map((task) => ({ ...task, create_time: Math.floor(Date.now() / 1000) })) }
  }

  #resultsOf(msgid: string): Body {
    const results = [...(this.#results.get(msgid) ?? [])]
    return {
      ...OK,
      send_list: results.map(([id, status]) => ({ external_userid: id, userid: 'wang', status, send_time: 0 })),
    }
  }

  #addTag(body: Body): Body {
    const { group_name: group, tag } = body as {
      readonly group_name: string
      readonly tag: readonly { name: string }[]
    }
    const made = tag.map(({ name }) => ({ id: `tag-${this.#tags.length + 1}`, name }))
    if (made.some(({ name }) => this.#tags.some((one) => one.name === name))) return { errcode: 40071 }
    this.#tags.push(...made)
    return { ...OK, tag_group: { group_id: 'g', group_name: group, tag: made } }
  }

  #mark(path: string, body: Body): Body {
    const { userid, external_userid: customer, add_tag: added, remove_tag: removed } = body
    if (this.#unknown.has(String(customer))) return { errcode: 84061 }
    const name = `${String(userid)} ${String(customer)}`
    const marks = this.#marks.get(name) ?? new Set<string>()
    this.#marks.set(name, marks)
    for (const id of (added as readonly string[]) ?? []) marks.add(id)
    for (const id of (removed as readonly string[]) ?? []) marks.delete(id)
    return this.#take(path, body)
  }
}
