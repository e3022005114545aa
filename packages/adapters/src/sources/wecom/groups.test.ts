import { createEngine, definePack, type IncomingEvent } from '@linli/core'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { freshDatabase } from '../../../../core/testing/database.js'
import { listeningEngine, serve } from '../../../testing/sources.js'
import { WecomCorp } from '../../channels/wecom/index.js'
import { type FakeWecom, startFakeWecom } from '../../testing/fake-wecom.js'
import { callbackRequest, type FakeGroupMember } from '../../testing/index.js'
import { memoryGroupMembers, postgresGroupMembers, type WecomGroupsOptions, wecomGroups, wecomSource } from './index.js'

const postgresUrl = inject('postgresUrl')
const KEYS = { token: 'QDG6eK', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' }
const PATH = '/cgi-bin/externalcontact/groupchat/get'
const AT = 1_772_359_200
let wecom: FakeWecom
beforeAll(async () => {
  wecom = await startFakeWecom()
})
afterAll(() => wecom.close())
const closing: (() => unknown)[] = []
afterEach(async () => {
  wecom.clear()
  for (const close of closing.splice(0)) await close()
})

let chats = 0
/** A group of its own, whose members come and go, and a source that hears of it. */
function shop(more: Partial<WecomGroupsOptions> = {}) {
  chats += 1
  const chatId = `wr-${chats}`
  const engine = listeningEngine()
  const errors: unknown[] = []
  const corp = new WecomCorp({ corpId: wecom.corpId, secret: wecom.secret, baseUrl: wecom.url })
  const members = memoryGroupMembers()
  const onError = (error: unknown) => void errors.push(error)
  const groups = wecomGroups({ corp, engine, members, settleMs: 5, onError, ...more })
  closing.push(() => groups.close())
  const source = wecomSource({ engine, keys: { ...KEYS, receiveId: wecom.corpId }, groups })
  const call = (fields: object) =>
    source(
      callbackRequest(
        'http://x/wecom',
        { MsgType: 'event', Event: 'change_external_chat', CreateTime: AT, ChatId: chatId, ...fields },
        { ...KEYS, receiveId: wecom.corpId },
      ),
    )
  return {
    chatId,
    engine,
    errors,
    groups,
    members,
    /** The group has these members from now on, and WeCom calls back. */
    async change(now: readonly FakeGroupMember[], fields: object = {}, lag = 0) {
      const versions = wecom.setGroup(chatId, now, lag)
      expect((await call({ ChangeType: 'update', ...versions, ...fields })).status).toBe(200)
      await groups.settled()
    },
    call,
  }
}
const member = (id: string, joined = AT - 60): FakeGroupMember => ({
  userid: `wm-${id}`,
  join_time: joined,
  unionid: `un-${id}`,
})
const said = ({ event, type, properties, context }: IncomingEvent) => {
  const [first] = (context?.['externalIds'] ?? []) as { readonly id: string }[]
  return [event ?? type, first?.id, ...(properties?.['by'] === undefined ? [] : [properties['by']])].join(' ')
}

describe('members of a customer group', () => {
  it('who join and leave become events, of whoever is known by either id', async () => {
    const { change, engine, chatId } = shop()
    const staff = { userid: 'wang', type: 1, join_time: AT - 60 } as const
    await change([staff, member('a')], { ChangeType: 'create' })
    await change([staff, member('b', AT - 5)], { UpdateDetail: 'del_member', CreateTime: AT + 10, QuitScene: 0 })
    const whoIs = (id: string) => ({
      externalIds: [
        { type: 'externalUserId', id: `wm-${id}` },
        { type: 'unionid', id: `un-${id}` },
      ],
    })
    expect(engine.events).toEqual([
      {
        messageId: expect.any(String),
        timestamp: new Date((AT - 60) * 1000),
        context: whoIs('a'),
        event: 'member_joined',
        properties: { communityId: chatId, scene: 'code' },
      },
      {
        messageId: expect.any(String),
        timestamp: new Date((AT + 10) * 1000),
        context: whoIs('a'),
        event: 'member_left',
        properties: { communityId: chatId },
      },
      expect.objectContaining({ event: 'member_joined', context: whoIs('b'), timestamp: new Date((AT - 5) * 1000) }),
    ])
  })

  it.each([
    [{ Item: ['wm-a', 'wang'] }, 0, 'member_left wm-a self'],
    [{ Item: 'wm-a' }, 1, 'member_left wm-a removed'],
    ['wm-a,wang', 0, 'member_left wm-a self'],
    ['', 0, 'member_left wm-a'],
    [{ Item: 'wm-a' }, 7, 'member_left wm-a'],
  ])('who are named by %j with the scene %i left so', async (list, scene, expected) => {
    const { change, engine } = shop()
    await change([member('a')], { ChangeType: 'create' })
    await change([], { UpdateDetail: 'del_member', QuitScene: scene, MemChangeList: list })
    expect(engine.events.map(said)).toEqual(['member_joined wm-a', expected])
  })

  it('who were there before the first look are no news; who came just now is, and who is named as gone', async () => {
    const { change, engine, groups, chatId, members } = shop()
    const gone = { UpdateDetail: 'del_member', QuitScene: 1, MemChangeList: { Item: ['wm-c', 'wang'] } }
    await change([member('old', AT - 86_400), member('new', AT - 3)], gone)
    expect(engine.events.map(said)).toEqual(['member_left wm-c removed', 'member_joined wm-new'])
    engine.events.length = 0
    await members.forget(chatId)
    await groups.sync(chatId)
    expect(engine.events).toEqual([])
    expect((await members.read(chatId))?.members).toHaveLength(2)
  })

  it('all leave a group that is dismissed', async () => {
    const { change, call, engine, groups, chatId, members } = shop()
    await change([member('a'), member('b')], { ChangeType: 'create' })
    wecom.setGroup(chatId, undefined)
    await call({ ChangeType: 'dismiss' })
    await groups.settled()
    expect(engine.events.slice(2).map(said)).toEqual(['member_left wm-a dismissed', 'member_left wm-b dismissed'])
    expect(await members.read(chatId)).toBeUndefined()
  })

  it('who come back have a stay of their own', async () => {
    const { change, engine } = shop()
    await change([member('a')], { ChangeType: 'create' })
    await change([])
    await change([member('a', AT)])
    await change([])
    expect(engine.events.map(said)).toEqual([
      'member_joined wm-a',
      'member_left wm-a',
      'member_joined wm-a',
      'member_left wm-a',
    ])
    expect(new Set(engine.events.map(({ messageId }) => messageId)).size).toBe(4)
  })

  it('belong to a community where the shop says which; other groups are not looked at', async () => {
    const { change, engine } = shop({ community: () => 'c-3' })
    await change([member('a')], { ChangeType: 'create' })
    expect(engine.events).toMatchObject([
      { type: 'group', groupId: 'c-3', messageId: expect.stringMatching(/:where$/) },
      { event: 'member_joined', properties: { communityId: 'c-3' } },
    ])
    const other = shop({ community: () => undefined })
    const before = wecom.requests.length
    await other.change([member('a')], { ChangeType: 'create' })
    expect(wecom.requests).toHaveLength(before)
  })

  it.each(['change_owner', 'change_name', 'change_notice'])('are not looked at for %s', async (detail) => {
    const { change, members, chatId } = shop()
    await change([member('a')], { UpdateDetail: detail })
    expect(await members.read(chatId)).toBeUndefined()
  })
})

describe('a list that lags behind', () => {
  it('is asked for again until it is the one that the callback names', async () => {
    const { change, engine } = shop()
    await change([member('a')], { ChangeType: 'create' })
    await change([member('a'), member('b')], { UpdateDetail: 'add_member' }, 2)
    expect(engine.events.map(said)).toEqual(['member_joined wm-a', 'member_joined wm-b'])
  })

  it('for too long is not taken: the error is told, and the next look makes up for it', async () => {
    const { change, engine, errors, groups, chatId } = shop({ tries: 1 })
    await change([member('a')], { ChangeType: 'create' })
    await change([], { UpdateDetail: 'del_member' }, 1)
    expect(errors).toMatchObject([{ code: 'wecom.group_unreadable' }])
    expect(engine.events).toHaveLength(1)
    await groups.sync(chatId)
    expect(engine.events.map(said)).toEqual(['member_joined wm-a', 'member_left wm-a'])
  })

  it('than what is known: nobody leaves by an old list', async () => {
    const { change, engine, groups, chatId } = shop()
    await change([member('a'), member('b')], { ChangeType: 'create' })
    wecom.setGroup(chatId, [member('a')])
    wecom.setGroup(chatId, [member('a'), member('b')], 1)
    await groups.sync(chatId)
    expect(engine.events.map(said)).toEqual(['member_joined wm-a', 'member_joined wm-b'])
  })
})

describe('callbacks', () => {
  it('of one group that come together are one look', async () => {
    const { call, groups, chatId, engine } = shop()
    const versions = wecom.setGroup(chatId, [member('a'), member('b')])
    const before = wecom.requests.length
    for (let times = 0; times < 5; times++) await call({ ChangeType: 'create', ...versions })
    await groups.settled()
    expect(wecom.requests.slice(before).filter(({ path }) => path === PATH)).toHaveLength(1)
    expect(engine.events).toHaveLength(2)
  })

  it('that are lost are made up for by a look at all groups', async () => {
    const { change, groups, chatId, engine } = shop()
    await change([member('a')], { ChangeType: 'create' })
    wecom.setGroup(chatId, [member('b')])
    await groups.syncAll()
    expect(engine.events.map(said)).toEqual(['member_joined wm-a', 'member_left wm-a', 'member_joined wm-b'])
  })

  it('in whatever order, however often, and with some of them lost: each stay begins once and ends once', async () => {
    const step = fc.record({
      who: fc.constantFrom('a', 'b', 'c'),
      fate: fc.constantFrom('told', 'told twice', 'lost', 'told late'),
      lag: fc.constantFrom(0, 0, 1),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { call, groups, chatId, engine } = shop({ settleMs: 0 })
        const here = new Map<string, FakeGroupMember>()
        const late: object[] = []
        await call({ ChangeType: 'create', ...wecom.setGroup(chatId, []) })
        await groups.settled()
        for (const [index, { who, fate, lag }] of steps.entries()) {
          if (!here.delete(who)) here.set(who, member(who, AT + index))
          const fields = {
            ChangeType: 'update',
            CreateTime: AT + index,
            ...wecom.setGroup(chatId, [...here.values()], lag),
          }
          if (fate === 'told late') late.push(fields)
          if (fate.startsWith('told') && fate !== 'told late') await call(fields)
          if (fate === 'told twice') await call(fields)
          if (index % 2 === 0) await groups.settled()
        }
        for (const fields of late) await call(fields)
        await groups.settled()
        await groups.sync(chatId).catch(() => undefined)
        await groups.sync(chatId)

        const firsts = new Map(engine.events.map((event) => [event.messageId, event]))
        const count = (name: string, who: string) =>
          [...firsts.values()].filter((event) => said(event) === `${name} wm-${who}`).length
        for (const who of ['a', 'b', 'c']) {
          expect(count('member_joined', who) - count('member_left', who)).toBe(here.has(who) ? 1 : 0)
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('what goes wrong', () => {
  it('in the engine has the group looked at again: nothing is written down before', async () => {
    const engine = listeningEngine()
    const known: unknown[] = []
    const members = memoryGroupMembers()
    const onError = async () => {
      known.push(await members.read(chatId))
      engine.fail(false)
    }
    const { change, chatId } = shop({ engine, members, onError })
    engine.fail(true)
    await change([member('a')], { ChangeType: 'create' })
    expect(known).toEqual([undefined])
    expect(engine.events.map(said)).toEqual(['member_joined wm-a'])
    expect((await members.read(chatId))?.members).toHaveLength(1)
  })

  it('at WeCom is told, with its code, and never who was in the group', async () => {
    const { change, errors, groups, chatId } = shop({ tries: 1 })
    wecom.next(90501, PATH)
    await change([member('a')], { ChangeType: 'create' })
    expect(errors).toMatchObject([{ code: 'wecom.group_unreadable', providerCode: 90501 }])
    wecom.next('reset', PATH)
    await expect(groups.sync(chatId)).rejects.toMatchObject({ code: 'wecom.group_unreadable' })
    wecom.next({ body: { errcode: 0 } }, PATH)
    await expect(groups.sync(chatId)).rejects.toMatchObject({ code: 'wecom.group_unreadable' })
  })

  it('a group is put off to the next look when it is closed', async () => {
    const { call, groups, engine, chatId } = shop({ settleMs: 60_000 })
    await call({ ChangeType: 'create', ...wecom.setGroup(chatId, [member('a')]) })
    await groups.close()
    await groups.settled()
    expect(engine.events).toEqual([])
  })

  it.each([{ settleMs: -1 }, { settleMs: 0.5 }, { tries: 0 }])('an option is refused: %j', (wrong) => {
    expect(() => shop(wrong)).toThrow(expect.objectContaining({ code: 'wecom.option_invalid' }))
  })
})

it('an engine takes it in over real HTTP, and a member who left has left', async () => {
  const left = { fact: 'eventCount', operator: 'equal', value: 1, params: { event: 'member_left' } }
  const rules = definePack([{ kind: 'tag', id: 'gone', conditions: left }])
  const engine = await createEngine({
    rules,
    channels: [],
    database: 'memory',
    identifiers: ['externalUserId', 'unionid'],
  })
  const corp = new WecomCorp({ corpId: wecom.corpId, secret: wecom.secret, baseUrl: wecom.url })
  const groups = wecomGroups({ corp, engine, members: memoryGroupMembers(), settleMs: 5 })
  const server = await serve(wecomSource({ engine, keys: { ...KEYS, receiveId: wecom.corpId }, groups }))
  closing.push(
    () => engine.close(),
    () => groups.close(),
    () => server.close(),
  )
  const now = Math.floor(Date.now() / 1000)
  const post = (fields: object) =>
    wecom.post(server.url, { Event: 'change_external_chat', CreateTime: now, ChatId: 'wr-http', ...fields }, KEYS)
  expect((await post({ ChangeType: 'create', ...wecom.setGroup('wr-http', [member('z', now - 5)]) })).status).toBe(200)
  await groups.settled()
  await post({ ChangeType: 'update', UpdateDetail: 'del_member', ...wecom.setGroup('wr-http', []) })
  await groups.settled()
  expect((await engine.subject('user', 'id:externalUserId:wm-z'))?.tags).toEqual(['gone'])
})

it('a member who changes notes of a customer is an event', async () => {
  const { engine, call } = shop()
  await call({
    Event: 'change_external_contact',
    ChangeType: 'edit_external_contact',
    UserID: 'wang',
    ExternalUserID: 'wm-1',
  })
  expect(engine.events).toMatchObject([{ event: 'contact_edited', properties: { memberUserId: 'wang' } }])
})

it.skipIf(postgresUrl === undefined)('the members in PostgreSQL are those of all processes', async () => {
  const database = await freshDatabase(postgresUrl)
  const pool = new pg.Pool({ connectionString: database.address, max: 4 })
  try {
    const [one, other] = [postgresGroupMembers(pool), postgresGroupMembers(pool)]
    expect(await Promise.all([one.read('wr'), other.read('wr')])).toEqual([undefined, undefined])
    const group = { version: 'v1', members: [{ externalUserId: 'wm-1', unionid: 'u', joinedAt: 5, scene: 'code' }] }
    await one.write('wr', { members: [] })
    await one.write('wr', group)
    expect(await other.read('wr')).toEqual(group)
    await other.forget('wr')
    expect(await one.read('wr')).toBeUndefined()
  } finally {
    await pool.end()
    await database.drop()
  }
  expect(() => postgresGroupMembers(pool, 'x; drop table y')).toThrow(RangeError)
})
