import { describe, expect, it } from 'vitest'
import { atLeast, journey, score, scored, send, tag, tagged, template, traitIs, wait } from '../../testing/rules.js'
import { group, track, worldOf } from '../../testing/shop.js'

const COMMUNITY = { subject: 'community' }
const LEADER = { subject: 'leader' }
const BUSY = tag('busy', atLeast(3, 'order', { within: '7d' }), COMMUNITY)
const tagsOf = async (world: Awaited<ReturnType<typeof worldOf>>, kind: 'user' | 'community' | 'leader', id: string) =>
  (await world.engine.subject(kind, id))?.tags

describe('events of a user', () => {
  it("move the user's community and leader as well", async () => {
    const world = await worldOf([BUSY, tag('served', atLeast(2, 'order'), LEADER)])
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), group('u2', 'c1'))

    await world.ingest(track('order', 'u1'), track('order', 'u1'), track('order', 'u2'))

    expect(await tagsOf(world, 'community', 'c1')).toEqual(['busy'])
    expect(await tagsOf(world, 'leader', 'l1')).toEqual(['served'])
    await world.close()
  })

  it('count for a community once, however often they come', async () => {
    const world = await worldOf([BUSY])
    const order = track('order', 'u1')
    await world.ingest(group('u1', 'c1'))

    await world.ingest(order, order)
    await world.ingest(order, track('order', 'u1'))

    expect(await tagsOf(world, 'community', 'c1')).toEqual([])
    await world.close()
  })

  it('that no rule about communities looks at do not touch them', async () => {
    const world = await worldOf([BUSY])
    await world.ingest(group('u1', 'c1'))
    const before = await world.engine.subject('community', 'c1')

    await world.advanceTo('2026-03-02T12:00:00+08:00')
    await world.ingest(track('view', 'u1'))

    expect(await world.engine.subject('community', 'c1')).toEqual(before)
    await world.close()
  })

  it('count for the community that the user is in by then', async () => {
    const world = await worldOf([tag('seen', atLeast(1, 'order'), COMMUNITY)])
    await world.ingest(group('u1', 'c1'))
    await world.ingest(group('u1', 'c2'))

    await world.ingest(track('order', 'u1'))

    expect(await tagsOf(world, 'community', 'c1')).toEqual([])
    expect(await tagsOf(world, 'community', 'c2')).toEqual(['seen'])
    await world.close()
  })
})

describe("what becomes of a user's messages and coupons", () => {
  it('counts for the community and the leader as well', async () => {
    const messages = { fact: 'messageCount', operator: 'equal', value: 2, params: { within: '7d' } }
    const world = await worldOf([
      { kind: 'offer', id: 'fruit', total: 10 },
      template('hello'),
      journey('greet', [{ id: 'coupon', issue: { offer: 'fruit' } }, send('push')]),
      tag('greeted', messages, COMMUNITY),
      tag('generous', atLeast(2, 'coupon_issued'), LEADER),
    ])
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), group('u2', 'c1'))

    await world.ingest(track('cart', 'u1'), track('cart', 'u2'))

    expect(await tagsOf(world, 'community', 'c1')).toEqual(['greeted'])
    expect(await tagsOf(world, 'leader', 'l1')).toEqual(['generous'])
    await world.close()
  })
})

describe('events that come in together', () => {
  const SEEN = tag('seen', atLeast(2, 'order'), COMMUNITY)
  const at = (minute: number) => ({ timestamp: `2026-03-01T11:0${minute}:00+08:00` })

  it('count for the community that the user was in when each happened', async () => {
    const world = await worldOf([SEEN])

    await world.ingest(
      ...[5, 3, 1].map((minute) => ({ ...track('order', 'u1'), ...at(minute) })),
      { ...group('u1', 'c2'), ...at(4) },
      { ...group('u1', 'c1'), ...at(2) },
      { ...track('order', 'u1'), ...at(6) },
    )

    expect(await tagsOf(world, 'community', 'c1')).toEqual([])
    expect(await tagsOf(world, 'community', 'c2')).toEqual(['seen'])
    await world.close()
  })
})

describe('a score of a community', () => {
  it('puts tags on its members, and takes them off at the instant at which it falls', async () => {
    const world = await worldOf([
      score('warmth', [{ points: 10, event: 'order', halfLife: '7d' }], {
        ...COMMUNITY,
        tiers: [{ id: 'warm', from: 20 }],
      }),
      tag('warm-estate', scored('warmth', 'equal', 'warm', { as: 'tier', of: 'community' })),
    ])
    await world.ingest(group('u1', 'c1'), group('u2', 'c1'))
    await world.ingest(track('order', 'u1'), track('order', 'u2'))
    expect((await world.engine.subject('community', 'c1'))?.scores).toEqual({ warmth: { value: 20, tier: 'warm' } })
    expect(await tagsOf(world, 'user', 'u2')).toEqual(['warm-estate'])

    await world.advanceTo('2026-03-08T11:59:59+08:00')
    expect(await tagsOf(world, 'user', 'u2')).toEqual(['warm-estate'])

    await world.advanceTo('2026-03-08T12:00:00+08:00')
    expect(await tagsOf(world, 'user', 'u2')).toEqual([])
    expect((await world.engine.subject('community', 'c1'))?.scores).toEqual({ warmth: { value: 10 } })
    await world.close()
  })
})

describe('a community', () => {
  it('has the traits that group events say of it', async () => {
    const world = await worldOf([tag('big', traitIs('size', 'big'), COMMUNITY)])

    await world.ingest(group('u1', 'c1', { size: 'big', leaderId: 'l1' }))

    expect(await world.engine.subject('community', 'c1')).toMatchObject({
      traits: { size: 'big' },
      relations: { leader: 'l1' },
      tags: ['big'],
    })
    await world.close()
  })

  it('makes its leader known to members who join later without a word about it', async () => {
    const world = await worldOf([BUSY])
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }))

    await world.ingest(group('u2', 'c1'))

    expect((await world.engine.subject('user', 'u2'))?.relations).toEqual({ community: 'c1', leader: 'l1' })
    await world.close()
  })

  it('makes a new leader known to all its members', async () => {
    const world = await worldOf([BUSY])
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), group('u2', 'c1'))
    await world.advanceTo('2026-03-02T12:00:00+08:00')

    await world.ingest(group('u3', 'c1', { leaderId: 'l2' }))

    for (const id of ['u1', 'u2', 'u3']) {
      expect((await world.engine.subject('user', id))?.relations['leader']).toBe('l2')
    }
    await world.close()
  })
})

describe('a user who moves to another community', () => {
  const leaderOf = async (world: Awaited<ReturnType<typeof worldOf>>, id: string) =>
    (await world.engine.subject('user', id))?.relations['leader']
  const day = (date: number) => `2026-03-0${date}T12:00:00+08:00`

  it('has the leader of that one, though that leader has been known for longer', async () => {
    const world = await worldOf([BUSY])
    await world.ingest(group('old', 'c1', { leaderId: 'l1' }))
    await world.advanceTo(day(2))
    await world.ingest(group('other', 'c2', { leaderId: 'l2' }), group('u1', 'c2'))
    expect(await leaderOf(world, 'u1')).toBe('l2')

    await world.advanceTo(day(3))
    await world.ingest(group('u1', 'c1'))

    expect(await leaderOf(world, 'u1')).toBe('l1')
    await world.close()
  })

  it('has no leader when nothing is known of one there', async () => {
    const world = await worldOf([BUSY])
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }))

    await world.ingest(group('u1', 'c2'))

    expect(await leaderOf(world, 'u1')).toBeUndefined()
    await world.close()
  })

  it('is not told any more who leads the one before, not even by an event that comes late', async () => {
    const world = await worldOf([BUSY])
    await world.ingest(group('u1', 'c1'))
    await world.advanceTo(day(2))
    await world.ingest(group('u1', 'c2', { leaderId: 'l2' }))
    await world.advanceTo(day(3))

    await world.ingest(group('old', 'c1', { leaderId: 'l9' }))
    await world.ingest({ ...group('u1', 'c1'), timestamp: day(1) })

    expect(await leaderOf(world, 'u1')).toBe('l2')
    await world.close()
  })
})

describe('a condition about the community', () => {
  const LIVELY = tag('lively', atLeast(3, 'order', { within: '7d', of: 'community' }))

  it("flips the members' tags when the community's verdict flips, without events of theirs", async () => {
    const world = await worldOf([LIVELY])
    await world.ingest(group('u1', 'c1'), group('u2', 'c1'), group('u3', 'c2'))

    await world.ingest(track('order', 'u1'), track('order', 'u1'), track('order', 'u1'))
    expect(await tagsOf(world, 'user', 'u1')).toEqual(['lively'])
    expect(await tagsOf(world, 'user', 'u2')).toEqual(['lively'])
    expect(await tagsOf(world, 'user', 'u3')).toEqual([])

    await world.advanceTo('2026-03-08T11:59:59.999+08:00')
    expect(await tagsOf(world, 'user', 'u2')).toEqual(['lively'])

    await world.advanceTo('2026-03-08T12:00:00+08:00')
    expect(await tagsOf(world, 'user', 'u2')).toEqual([])
    await world.close()
  })

  it('holds for one who joins while it holds there', async () => {
    const world = await worldOf([LIVELY])
    await world.ingest(group('u1', 'c1'))
    await world.ingest(track('order', 'u1'), track('order', 'u1'), track('order', 'u1'))

    await world.ingest(group('u2', 'c1'))
    expect(await tagsOf(world, 'user', 'u2')).toEqual(['lively'])

    await world.ingest(group('u2', 'c2'))
    expect(await tagsOf(world, 'user', 'u2')).toEqual([])
    await world.close()
  })

  it('stays when an anonymous visitor turns out to be a member', async () => {
    const world = await worldOf([LIVELY])
    await world.ingest(group('u1', 'c1'))
    await world.ingest(track('order', 'u1'), track('order', 'u1'), track('order', 'u1'))
    await world.ingest({ type: 'track', event: 'view', anonymousId: 'a1', messageId: 'v1' })

    await world.ingest({ type: 'identify', userId: 'u1', anonymousId: 'a1', messageId: 'i1' })

    expect(await tagsOf(world, 'user', 'u1')).toEqual(['lively'])
    await world.close()
  })

  it('can be about a trait, a tag, or the leader of the community', async () => {
    const world = await worldOf([
      tag('big', traitIs('size', 'big'), COMMUNITY),
      tag('in-big', { fact: 'tag', operator: 'equal', value: true, params: { id: 'big', of: 'community' } }),
      tag('of-big', { fact: 'trait', operator: 'equal', value: 'big', params: { name: 'size', of: 'community' } }),
      tag(
        'led',
        { fact: 'eventCount', operator: 'greaterThan', value: 1, params: { event: 'order', of: 'leader' } },
        COMMUNITY,
      ),
      tag('in-led', { fact: 'tag', operator: 'equal', value: true, params: { id: 'led', of: 'community' } }),
    ])
    await world.ingest(group('u1', 'c1', { size: 'big', leaderId: 'l1' }), group('u2', 'c1'))

    await world.ingest(track('order', 'u1'), track('order', 'u1'))

    expect((await tagsOf(world, 'user', 'u2'))?.toSorted()).toEqual(['in-big', 'in-led', 'of-big'])
    await world.close()
  })

  it('enters a journey by the tag that follows from it', async () => {
    const enter = journey('cheer', [wait('later', '1h')], { entry: { on: 'tag.added', tag: 'lively' } })
    const world = await worldOf([LIVELY, enter])
    await world.ingest(group('u1', 'c1'), group('u2', 'c1'))

    await world.ingest(track('order', 'u1'), track('order', 'u1'), track('order', 'u1'))

    for (const id of ['u1', 'u2']) {
      expect((await world.engine.subject('user', id))?.runs).toMatchObject([{ journey: 'cheer' }])
    }
    await world.close()
  })
})

describe('a journey of a community', () => {
  it('is entered by events of its members and suggests to its leader', async () => {
    const tell = { id: 'tell', suggest: { to: 'leader', template: 'tip', expires: '24h' } }
    const world = await worldOf([
      template('tip', '{{ community.id }} wants {{ event.kind }}, {{ leader.id }}'),
      journey('demand', [tell], { subject: 'community', entry: { on: 'event', event: 'wish' } }),
    ])
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }))

    await world.ingest(track('wish', 'u1', { kind: 'milk' }))

    expect(await world.engine.suggestions({ leader: 'l1' })).toMatchObject([
      { leader: 'l1', text: 'c1 wants milk, l1', about: 'community:c1', journey: 'demand' },
    ])
    await world.close()
  })

  it('is entered when a tag of the community goes on', async () => {
    const world = await worldOf([
      template('hello'),
      BUSY,
      journey('thank', [send('push', { class: 'service' })], {
        subject: 'community',
        entry: { on: 'tag.added', tag: 'busy', conditions: tagged('busy') },
      }),
    ])
    await world.ingest(group('u1', 'c1'))

    await world.ingest(track('order', 'u1'), track('order', 'u1'), track('order', 'u1'))

    expect(world.sent).toMatchObject([{ to: { kind: 'community', id: 'c1' } }])
    await world.close()
  })
})
