import { inspect } from 'node:util'
import type { Channel, Outbound } from '@linli/core'
import { channelContract } from '@linli/core/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FakeWecom, startFakeWecom } from '../../testing/fake-wecom.js'
import { wecomAppChannel } from './app.js'
import { WecomCorp } from './corp.js'
import { wecomGroupSendChannel } from './group-send.js'
import { groupSendId } from './group-send-id.js'
import { cancelGroupSend, findGroupSends, groupSendReceipts, remindGroupSend } from './group-send-receipts.js'
import { wecomMomentsChannel } from './moments.js'
import { wecomRobotChannel } from './robot.js'
import { wecomTagsChannel } from './tags.js'
import { sendWelcome } from './welcome.js'

const ROBOT = 'fake-robot-key'
let wecom: FakeWecom
beforeAll(async () => {
  wecom = await startFakeWecom({ robots: [ROBOT], unknown: ['gone'] })
})
afterAll(() => wecom.close())
beforeEach(() => {
  wecom.taken.length = 0
  wecom.clear()
})

const corp = () => new WecomCorp({ corpId: wecom.corpId, secret: wecom.secret, baseUrl: wecom.url })
const app = () => wecomAppChannel({ corp: corp(), agentId: 1_000_002 })
const robot = () => wecomRobotChannel({ key: ROBOT, baseUrl: wecom.url })
const groupSend = () => wecomGroupSendChannel({ corp: corp(), gatherMs: 1 })
const moments = () => wecomMomentsChannel({ corp: corp() })
const tags = () => wecomTagsChannel({ corp: corp() })

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'wecom-app',
  class: 'service',
  to: {
    kind: 'leader',
    id: 'l1',
    traits: { wecomUserId: 'wang', wecomSender: 'wang', externalUserId: 'wm-1', phone: '13800000001' },
  },
  content: { template: 'unpicked', title: '3 单未提货', body: '王小明等 3 人还没来取' },
  source: { journey: 'pickup', run: 'r1', step: 'tell-leader' },
}
const tagging: Outbound = { ...message, content: { template: 'tag', body: '标签', data: { add: '常买蔬菜' } } }
const context = () => ({ attempt: 1, at: new Date(), signal: new AbortController().signal })
const to = (traits: Record<string, unknown>, kind: 'user' | 'community' | 'leader' = 'user') =>
  ({ ...message, to: { kind, id: 'x', traits } }) satisfies Outbound
const saying = (content: Partial<Outbound['content']>) => ({ ...message, content: { ...message.content, ...content } })

const APP_PATH = '/cgi-bin/message/send'
const CHANNELS: readonly (readonly [string, string, () => Channel, 'idempotent' | 'none', Outbound])[] = [
  ['application messages', APP_PATH, app, 'none', message],
  ['a robot', '/cgi-bin/webhook/send', robot, 'none', message],
  ['group messages', '/cgi-bin/externalcontact/add_msg_template', groupSend, 'none', message],
  ['moments', '/cgi-bin/externalcontact/add_moment_task', moments, 'none', message],
  ['tags', '/cgi-bin/externalcontact/mark_tag', tags, 'idempotent', tagging],
]

describe.each(CHANNELS)('%s keep the contract', (_, path, create, repeat, sent) => {
  const cases = channelContract({
    // It has its token and its tags: what is cut off is the call itself.
    create: async () => {
      const channel = create()
      await channel.send(sent, context())
      return channel
    },
    message: sent,
    repeat,
    provider: {
      failNext: (when) => wecom.next(when === 'before' ? 'reset' : 'take and reset', path),
      refuseNext: () => wecom.next(48002, path),
      deferNext: () => wecom.next(45009, path),
      hangNext: () => wecom.next('take and hang', path),
      hanging: () => wecom.hanging(),
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe('the access token', () => {
  it('is fetched once for calls that come together', async () => {
    wecom.expireToken()
    const before = wecom.requests.length
    const channel = app()
    await Promise.all(Array.from({ length: 20 }, () => channel.send(message, context())))
    const asked = wecom.requests.slice(before).filter(({ path }) => path === '/cgi-bin/gettoken')
    expect(asked).toHaveLength(1)
  })

  it.each([40014, 42001])('is fetched anew, and the call made again, after errcode %i', async (errcode) => {
    const channel = app()
    await channel.send(message, context())
    wecom.expireToken()
    wecom.next(errcode, APP_PATH)
    await expect(channel.send(saying({ body: `${errcode}` }), context())).resolves.toMatchObject({ status: 'accepted' })
    expect(wecom.taken.at(-1)?.body).toMatchObject({ text: { content: expect.stringContaining(`${errcode}`) } })
  })

  it('is shared by processes that have a cache in common', async () => {
    let kept: { token: string; expiresAt: number } | undefined
    const tokens = {
      read: async () => kept,
      write: async (token: { token: string; expiresAt: number }) => {
        kept = token
      },
    }
    const before = wecom.requests.length
    for (let index = 0; index < 2; index++) {
      const own = new WecomCorp({ corpId: wecom.corpId, secret: wecom.secret, baseUrl: wecom.url, tokens })
      await wecomAppChannel({ corp: own, agentId: 1 }).send(message, context())
    }
    const asked = wecom.requests.slice(before).filter(({ path }) => path === '/cgi-bin/gettoken')
    expect(asked).toHaveLength(1)
  })

  it('that cannot be had for good refuses the message, and sends nothing', async () => {
    const wrong = new WecomCorp({ corpId: wecom.corpId, secret: 'wrong-secret-canary', baseUrl: wecom.url })
    const result = await wecomAppChannel({ corp: wrong, agentId: 1 }).send(message, context())
    expect(result).toMatchObject({ status: 'refused', reason: 'configuration' })
    expect(inspect([wrong, result], { depth: 9 })).not.toContain('wrong-secret-canary')
  })

  it('that cannot be had now defers the message', async () => {
    wecom.next(-1, '/cgi-bin/gettoken')
    await expect(app().send(message, context())).resolves.toMatchObject({ status: 'deferred' })
  })
})

describe('errcodes', () => {
  it.each([
    [-1, { status: 'deferred' }],
    [6000, { status: 'deferred' }],
    [45033, { status: 'deferred' }],
    [45009, { status: 'deferred' }],
    [40001, { status: 'refused', reason: 'configuration' }],
    [40013, { status: 'refused', reason: 'configuration' }],
    [41001, { status: 'refused', reason: 'configuration' }],
    [60020, { status: 'refused', reason: 'configuration' }],
    [48002, { status: 'refused', reason: 'configuration' }],
    [301002, { status: 'refused', reason: 'configuration' }],
    [84063, { status: 'refused', reason: 'configuration' }],
    [84074, { status: 'refused', reason: 'configuration' }],
    [93000, { status: 'refused', reason: 'configuration' }],
    [40003, { status: 'refused', reason: 'recipient' }],
    [60111, { status: 'refused', reason: 'recipient' }],
    [40031, { status: 'refused', reason: 'recipient' }],
    [40096, { status: 'refused', reason: 'recipient' }],
    [81013, { status: 'refused', reason: 'recipient' }],
    [84061, { status: 'refused', reason: 'recipient' }],
    [40007, { status: 'refused', reason: 'content' }],
    [40035, { status: 'refused', reason: 'content' }],
    [40058, { status: 'refused', reason: 'content' }],
    [40063, { status: 'refused', reason: 'content' }],
    [44004, { status: 'refused', reason: 'content' }],
    [45002, { status: 'refused', reason: 'content' }],
    [99999, { status: 'refused', reason: 'other' }],
  ])('%i gives %o', async (errcode, expected) => {
    wecom.next(errcode, APP_PATH)
    const result = await app().send(message, context())
    expect(result).toMatchObject({ ...expected, detail: `wecom.errcode: ${errcode}` })
  })

  it('45009 waits for at least a minute', async () => {
    wecom.next(45009, APP_PATH)
    const { at, ...rest } = context()
    const result = await app().send(message, { at, ...rest })
    expect(result.status === 'deferred' && result.retryAt.getTime() - at.getTime()).toBeGreaterThanOrEqual(60_000)
  })

  it.each(['take and babble', 'take and reset'] as const)('nothing is guessed after "%s"', async (fault) => {
    wecom.next(fault, APP_PATH)
    await expect(app().send(message, context())).rejects.toMatchObject({ code: 'wecom.outcome_unknown' })
  })
})

describe('application messages', () => {
  it('reach a member as text', async () => {
    await app().send(message, context())
    expect(wecom.taken.at(-1)).toEqual({
      path: APP_PATH,
      body: {
        touser: 'wang',
        agentid: 1_000_002,
        msgtype: 'text',
        text: { content: '3 单未提货\n王小明等 3 人还没来取' },
      },
    })
  })

  it('may be repeated where WeCom checks for duplicates: the member has it once', async () => {
    const checked = wecomAppChannel({ corp: corp(), agentId: 1, duplicateCheckSeconds: 1800 })
    expect(checked.repeat).toEqual({ kind: 'idempotent', windowMs: 1_800_000 })
    wecom.next('take and reset', APP_PATH)
    await expect(checked.send(message, context())).rejects.toMatchObject({ code: 'wecom.outcome_unknown' })
    await expect(checked.send(message, context())).resolves.toMatchObject({ status: 'accepted' })
    expect(wecom.taken).toHaveLength(1)
    expect(() => wecomAppChannel({ corp: corp(), agentId: 1, duplicateCheckSeconds: 0 })).toThrow('1 to 14,400')
  })

  it('can be markdown, or a card that leads to a page of a mini-program', async () => {
    await app().send(saying({ data: { format: 'markdown' } }), context())
    expect(wecom.taken.at(-1)?.body).toMatchObject({ msgtype: 'markdown' })
    await app().send(saying({ data: { format: 'card', appid: 'wx1', page: 'pages/pickup' } }), context())
    expect(wecom.taken.at(-1)?.body).toMatchObject({
      template_card: {
        main_title: { title: '3 单未提货' },
        card_action: { type: 2, appid: 'wx1', pagepath: 'pages/pickup' },
      },
    })
  })

  it.each([
    ['of an unknown format', saying({ data: { format: 'constructor' } }), 'wecom.format'],
    ['of a card that leads nowhere', saying({ data: { format: 'card' } }), 'wecom.card'],
    ['of more than 2,048 bytes', saying({ body: '菜'.repeat(700) }), 'wecom.too_long'],
  ])('%s are refused before a call', async (_, sent, detail) => {
    const result = await app().send(sent, context())
    expect(result).toMatchObject({ status: 'refused', reason: 'content', detail: expect.stringContaining(detail) })
    expect(wecom.taken).toEqual([])
  })

  it('are refused for whom WeCom lists as invalid, in whatever case', async () => {
    wecom.next({ body: { errcode: 0, invaliduser: 'zhang|WANG' } }, APP_PATH)
    await expect(app().send(message, context())).resolves.toMatchObject({ status: 'refused', reason: 'recipient' })
  })

  it('need a userid', async () => {
    await expect(app().send(to({}, 'leader'), context())).resolves.toMatchObject({ reason: 'recipient' })
  })
})

describe('a robot', () => {
  it('that was removed is a matter of configuration', async () => {
    const removed = wecomRobotChannel({ key: 'removed', baseUrl: wecom.url })
    await expect(removed.send(message, context())).resolves.toMatchObject({ reason: 'configuration' })
  })

  it('keeps its key out of what it prints', () => {
    expect(inspect(robot(), { depth: 9, showHidden: true })).not.toContain(ROBOT)
  })
})

describe('group messages', () => {
  it('of the same words by one sender are one task, which its member confirms once', async () => {
    const channel = wecomGroupSendChannel({ corp: corp(), gatherMs: 20 })
    const customers = Array.from({ length: 30 }, (_, index) => `wm-${index}`)
    const results = await Promise.all(
      customers.map((id) => channel.send(to({ externalUserId: id, wecomSender: 'wang' }), context())),
    )
    expect(wecom.taken).toHaveLength(1)
    expect(wecom.taken[0]?.body).toMatchObject({ chat_type: 'single', external_userid: customers, sender: 'wang' })
    expect(results[7]).toEqual({ status: 'awaiting_person', providerId: groupSendId('task-1', 'wm-7') })
    expect(JSON.stringify(results)).not.toContain('wm-')
  })

  it('refuse those whom WeCom cannot send to, and no others', async () => {
    const channel = wecomGroupSendChannel({ corp: corp(), gatherMs: 20 })
    const sent = ['wm-1', 'gone'].map((id) => channel.send(to({ externalUserId: id }), context()))
    const [one, other] = await Promise.all(sent)
    expect(one).toMatchObject({ status: 'awaiting_person' })
    expect(other).toMatchObject({ status: 'refused', reason: 'recipient' })
  })

  it('to a group need its owner', async () => {
    const group = to({ wecomChatId: 'wr-1', wecomSender: 'wang' }, 'community')
    await expect(groupSend().send(group, context())).resolves.toMatchObject({ status: 'awaiting_person' })
    expect(wecom.taken.at(-1)?.body).toMatchObject({ chat_type: 'group', chat_id_list: ['wr-1'], sender: 'wang' })
    const ownerless = to({ wecomChatId: 'wr-1' }, 'community')
    await expect(groupSend().send(ownerless, context())).resolves.toMatchObject({ reason: 'recipient' })
  })

  it('have receipts once members have confirmed, by recipient', async () => {
    const channel = wecomGroupSendChannel({ corp: corp(), gatherMs: 20 })
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => channel.send(to({ externalUserId: id }), context())))
    wecom.settle('task-1', 'a', 1)
    wecom.settle('task-1', 'b', 2)
    wecom.settle('task-1', 'c', 3)
    const receipts = []
    for await (const receipt of groupSendReceipts({ corp: corp(), msgid: 'task-1' })) receipts.push(receipt)
    expect(receipts).toMatchObject([
      { channel: 'wecom-group-send', providerId: groupSendId('task-1', 'a'), says: 'delivered' },
      { providerId: groupSendId('task-1', 'b'), says: 'failed' },
      { providerId: groupSendId('task-1', 'c'), says: 'failed' },
    ])
  })

  it('can be looked for after a call that broke off, reminded of, and taken back', async () => {
    wecom.next('take and reset', '/cgi-bin/externalcontact/add_msg_template')
    await expect(groupSend().send(message, context())).rejects.toMatchObject({ code: 'wecom.outcome_unknown' })
    const range = { chat: 'customer', from: new Date(Date.now() - 60_000), until: new Date() } as const
    const found = []
    for await (const one of findGroupSends(corp(), range)) found.push(one)
    expect(found).toMatchObject([{ msgid: 'task-1', creator: 'wang', text: expect.stringContaining('3 单未提货') }])
    await remindGroupSend(corp(), 'task-1')
    await cancelGroupSend(corp(), 'task-1')
    expect(wecom.taken.slice(1).map(({ body }) => body)).toEqual([{ msgid: 'task-1' }, { msgid: 'task-1' }])
    wecom.next(45009, '/cgi-bin/externalcontact/remind_groupmsg_send')
    await expect(remindGroupSend(corp(), 'task-1')).rejects.toMatchObject({ code: 'wecom.call_failed' })
  })
})

describe('tags', () => {
  it('are made where there are none, put on and taken off', async () => {
    const channel = tags()
    const mark = (data: Record<string, string>) =>
      channel.send({ ...tagging, content: { ...tagging.content, data } }, context())
    await expect(mark({ add: '爱吃水果' })).resolves.toEqual({ status: 'accepted' })
    expect(wecom.tagsOf('wang', 'wm-1')).toContain('爱吃水果')
    await mark({ remove: '爱吃水果', add: '奶制品' })
    expect(wecom.tagsOf('wang', 'wm-1')).toContain('奶制品')
    expect(wecom.tagsOf('wang', 'wm-1')).not.toContain('爱吃水果')
  })

  it('of one name are made once, however many are told of it at the same time', async () => {
    const channel = tags()
    const add = { ...tagging, content: { ...tagging.content, data: { add: '新客' } } }
    await Promise.all(Array.from({ length: 20 }, () => channel.send(add, context())))
    const made = wecom.requests.filter(({ path, body }) => path.endsWith('add_corp_tag') && body.includes('新客'))
    expect(made).toHaveLength(1)
  })

  it('never write more than five customers at once', async () => {
    let [now, most] = [0, 0]
    const own = corp()
    const call = own.api.call.bind(own.api)
    own.api.call = async (asked) => {
      now += 1
      most = Math.max(most, now)
      return call(asked).finally(() => {
        now -= 1
      })
    }
    const channel = wecomTagsChannel({ corp: own })
    await Promise.all(Array.from({ length: 30 }, () => channel.send(tagging, context())))
    expect(most).toBe(5)
  })
})

describe('a welcome', () => {
  const welcome = { code: 'w-1', at: new Date(), text: '欢迎，我是团长王阿姨' }
  const PATH = '/cgi-bin/externalcontact/send_welcome_msg'

  it('is sent, again while another application is greeting', async () => {
    wecom.next(41096, PATH)
    await expect(sendWelcome(corp(), { ...welcome, at: new Date() })).resolves.toEqual({ status: 'sent' })
    expect(wecom.taken).toHaveLength(1)
  })

  it('is done where they chat already, late after 20 seconds, and failed where WeCom says so', async () => {
    wecom.next(41051, PATH)
    await expect(sendWelcome(corp(), { ...welcome, at: new Date() })).resolves.toEqual({ status: 'done' })
    const before = { ...welcome, at: new Date(Date.now() - 20_001) }
    await expect(sendWelcome(corp(), before)).resolves.toEqual({ status: 'late' })
    wecom.next(40035, PATH)
    await expect(sendWelcome(corp(), { ...welcome, at: new Date() })).resolves.toEqual({
      status: 'failed',
      code: 40035,
    })
  })
})

describe('a company', () => {
  it.each([
    [{ corpId: '', secret: 's' }, 'corpId'],
    [{ corpId: 'ww', secret: ' ' }, 'secret'],
  ])('with %o is refused, and the error says what is wrong', (options, named) => {
    expect(() => new WecomCorp(options)).toThrow(expect.objectContaining({ code: 'wecom.option_invalid' }))
    expect(() => new WecomCorp(options)).toThrow(named)
  })
})
