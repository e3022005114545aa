import { describe, expect, it } from 'vitest'
import { atLeast, eventHas, journey, putTag, send, tag, tagged, template, wait } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))
const onEvent = (event: string | string[], conditions?: unknown) => ({
  entry: { on: 'event', event, ...(conditions !== undefined && { conditions }) },
})

describe('entering a journey', () => {
  it('twice at one instant makes two runs, each with an id of its own', () => {
    const u1 = user(
      tag('here'),
      journey('mark', [putTag('on', 'here'), { id: 'off', tag: { remove: 'here' } }], { reentry: 'always' }),
      journey('thank', [putTag('again', 'here')], { entry: { on: 'tag.added', tag: 'here' }, reentry: 'always' }),
    )

    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T08:00:00Z')

    const runs = u1.said('journey.entered').map(({ run }) => run)
    expect(runs).toHaveLength(4)
    expect(new Set(runs).size).toBe(4)
  })

  it('happens with its event', () => {
    const u1 = user(journey('remind', [wait('later', '1h')], onEvent('cart')))

    u1.event('view', '2026-03-01T08:00:00Z')
    expect(u1.state.runs).toEqual([])

    u1.event('cart', '2026-03-01T09:00:00Z')
    expect(u1.state.runs).toMatchObject([{ journey: 'remind', step: 'later' }])
    expect(u1.said('journey.entered')).toMatchObject([{ rule: 'remind', version: 1 }])
  })

  it('happens with any of several events', () => {
    const u1 = user(journey('remind', [wait('later', '1h')], { ...onEvent(['cart', 'view']), reentry: 'always' }))

    u1.event('view', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T09:00:00Z')

    expect(u1.said('journey.entered')).toHaveLength(2)
  })

  it('happens only when the conditions about the event hold', () => {
    const u1 = user(journey('remind', [wait('later', '1h')], onEvent('cart', eventHas('kind', 'fruit'))))

    u1.event('cart', '2026-03-01T08:00:00Z', { kind: 'milk' })
    expect(u1.state.runs).toHaveLength(0)

    u1.event('cart', '2026-03-01T09:00:00Z', { kind: 'fruit' })
    expect(u1.state.runs).toHaveLength(1)
  })

  it('looks at the subject as it is after the event', () => {
    const u1 = user(
      tag('regular', atLeast(2, 'order')),
      journey('thank', [wait('later', '1h')], onEvent('order', tagged('regular'))),
    )

    u1.event('order', '2026-03-01T08:00:00Z')
    expect(u1.state.runs).toHaveLength(0)

    u1.event('order', '2026-03-02T08:00:00Z')
    expect(u1.state.runs).toHaveLength(1)
  })

  it('happens with a tag that is put on by an event', () => {
    const u1 = user(
      tag('regular', atLeast(2, 'order')),
      journey('thank', [wait('later', '1h')], { entry: { on: 'tag.added', tag: 'regular' } }),
    )
    u1.event('order', '2026-03-01T08:00:00Z')

    u1.event('order', '2026-03-02T08:00:00Z')

    expect(u1.log).toContain('2026-03-02T08:00:00.000Z journey.entered thank')
  })

  it('happens with a tag that time alone takes off, at that instant', () => {
    const u1 = user(
      tag('active', atLeast(1, 'order', { within: '7d' })),
      journey('win-back', [wait('later', '1h')], { entry: { on: 'tag.removed', tag: 'active' } }),
    )
    u1.event('order', '2026-03-01T08:00:00Z')

    u1.instant('2026-03-20T00:00:00Z')

    expect(u1.log).toContain('2026-03-08T08:00:00.000Z journey.entered win-back')
    expect(u1.log).toContain('2026-03-08T09:00:00.000Z journey.exited win-back')
  })

  it('with a tag may ask for more', () => {
    const u1 = user(
      tag('regular', atLeast(2, 'order')),
      tag('vip'),
      journey('thank', [wait('later', '1h')], {
        entry: { on: 'tag.added', tag: 'regular', conditions: tagged('vip') },
      }),
    )

    u1.event('order', '2026-03-01T08:00:00Z')
    u1.event('order', '2026-03-02T08:00:00Z')

    expect(u1.state.runs).toEqual([])
  })

  it('with a key has one run for each of its values', () => {
    const u1 = user(journey('remind', [wait('later', '1d')], { key: 'cartId' }))

    u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 'c1' })
    u1.event('cart', '2026-03-01T09:00:00Z', { cartId: 'c2' })
    u1.event('cart', '2026-03-01T10:00:00Z', { cartId: 'c1' })

    expect(u1.state.runs.map((run) => run.key)).toEqual(['c1', 'c2'])
    expect(u1.said('journey.held')).toMatchObject([{ reason: 'active', key: 'c1' }])
  })

  it('with a key takes numbers as keys, and holds an event that has none', () => {
    const u1 = user(journey('remind', [wait('later', '1d')], { key: 'cartId' }))

    u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 7 })
    u1.event('cart', '2026-03-01T09:00:00Z', {})

    expect(u1.state.runs.map((run) => run.key)).toEqual(['7'])
    expect(u1.said('journey.held')).toMatchObject([{ reason: 'no key', key: 'cartId' }])
  })
})

describe('entering a journey again', () => {
  const remind = (reentry?: unknown) =>
    user(journey('remind', [wait('later', '2h')], reentry === undefined ? {} : { reentry }))

  it('is not possible while one is in it, when nothing is said', () => {
    const u1 = remind()

    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T09:59:59.999Z')

    expect(u1.said('journey.held')).toMatchObject([{ reason: 'active' }])
  })

  it('oneAtATime: is possible as soon as the run has ended', () => {
    const u1 = remind('oneAtATime')

    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T10:00:00Z')

    expect(u1.said('journey.entered')).toHaveLength(2)
  })

  it('never: is never possible', () => {
    const u1 = remind('never')

    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('cart', '2027-03-01T08:00:00Z')

    expect(u1.said('journey.entered')).toHaveLength(1)
    expect(u1.said('journey.held')).toMatchObject([{ reason: 're-entry', last: '2026-03-01T08:00:00.000Z' }])
  })

  it('never: is never possible for the same key', () => {
    const u1 = user(journey('remind', [wait('later', '2h')], { key: 'cartId', reentry: 'never' }))

    u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 'c1' })
    u1.event('cart', '2026-03-02T08:00:00Z', { cartId: 'c2' })
    u1.event('cart', '2026-03-03T08:00:00Z', { cartId: 'c1' })

    expect(u1.said('journey.entered')).toMatchObject([{ key: 'c1' }, { key: 'c2' }])
  })

  it('always: is possible while one is in it', () => {
    const u1 = remind('always')

    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(new Set(u1.state.runs.map((run) => run.id)).size).toBe(2)
  })

  it('after: is possible exactly that long after the last entry', () => {
    const u1 = remind({ after: '30d' })
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('cart', '2026-03-31T07:59:59.999Z')
    expect(u1.said('journey.entered')).toHaveLength(1)
    expect(u1.said('journey.held')).toMatchObject([{ reason: 're-entry', from: '2026-03-31T08:00:00.000Z' }])

    u1.event('cart', '2026-03-31T08:00:00.000Z')
    expect(u1.said('journey.entered')).toHaveLength(2)
  })

  it('after: does not let one in twice when the run lasts longer than that', () => {
    const u1 = user(journey('remind', [wait('later', '60d')], { reentry: { after: '30d' } }))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.event('cart', '2026-04-10T08:00:00Z')

    expect(u1.said('journey.held')).toMatchObject([{ reason: 'active' }])
  })

  it('after: forgets entries that no longer matter', () => {
    const u1 = user(journey('remind', [wait('later', '1h')], { key: 'cartId', reentry: { after: '1d' } }))

    u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 'c1' })
    u1.event('cart', '2026-03-05T08:00:00Z', { cartId: 'c2' })

    expect(Object.keys(u1.state.entries)).toEqual(['remind/c2'])
  })
})

describe('a control group', () => {
  const control = (share: number, more = {}) => ({ kind: 'policy', id: 'control', control: { share, ...more } })
  const push = (messageClass: string) => [template('hello'), send('push', { class: messageClass })] as const
  const held = (...rules: readonly unknown[]) => {
    const u1 = user(...rules)
    u1.event('cart', '2026-03-01T08:00:00Z')
    return u1.said('journey.held')
  }

  it('is kept out of journeys that do nothing but promote', () => {
    const [text, step] = push('promotion')

    expect(held(control(1), text, journey('remind', [step]))).toMatchObject([
      { rule: 'remind', reason: 'control group', policy: 'control', share: 1 },
    ])
    expect(held(control(0), text, journey('remind', [step]))).toEqual([])
  })

  it('is not kept out of a journey that sends a message of another class', () => {
    const [text, step] = push('service')
    expect(held(control(1), text, journey('ready', [step]))).toEqual([])

    const both = journey('ready', [step, send('more')])
    expect(held(control(1), text, both)).toEqual([])
    expect(held(control(1, { classes: ['service', 'promotion'] }), text, both)).toHaveLength(1)
  })

  it('is kept out of a journey that gives coupons, and not of one that only tags', () => {
    const offer = { kind: 'offer', id: 'trial', total: 10 }
    expect(held(control(1), offer, journey('give', [{ id: 'coupon', issue: { offer: 'trial' } }]))).toHaveLength(1)

    expect(held(control(1), tag('seen'), journey('mark', [putTag('on', 'seen')]))).toEqual([])
  })

  it('is the same people in all journeys', () => {
    const [text, step] = push('promotion')
    const program = programOf(control(0.3), text, journey('one', [step]), journey('two', [step]))
    const heldBy = Array.from({ length: 200 }, (_, index) => {
      const subject = new TestSubject(program, { kind: 'user', id: `u${index}` })
      subject.event('cart', '2026-03-01T08:00:00Z')
      return subject.said('journey.held').length
    })

    expect(new Set(heldBy)).toEqual(new Set([0, 2]))
    const share = heldBy.filter((count) => count === 2).length / 200
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.4)
  })

  it('is one in a pack', () => {
    expect(() => user(control(0.1), { ...control(0.2), id: 'second' })).toThrow(/control.several/)
  })
})

describe('a holdout', () => {
  const entered = (share: number) => {
    const program = programOf(journey('remind', [wait('later', '1h')], { holdout: share, reentry: 'always' }))
    return Array.from({ length: 400 }, (_, index) => {
      const one = new TestSubject(program, { kind: 'user', id: `u${index}` })
      one.event('cart', '2026-03-01T08:00:00Z')
      one.event('cart', '2026-06-01T08:00:00Z')
      return one.said('journey.entered').length
    })
  }

  it('keeps about its share of subjects out, always the same ones', () => {
    const times = entered(0.25)

    expect(times.filter((count) => count === 0).length).toBeGreaterThan(70)
    expect(times.filter((count) => count === 0).length).toBeLessThan(130)
    // Nobody is held once and let in later.
    expect(times.filter((count) => count === 1)).toEqual([])
  })

  it('of 1 keeps all out and says why', () => {
    expect(entered(1).every((count) => count === 0)).toBe(true)
    const u1 = user(journey('remind', [wait('later', '1h')], { holdout: 1 }))

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.said('journey.held')).toMatchObject([{ reason: 'holdout', share: 1 }])
  })
})

describe('journeys that set each other off for ever', () => {
  it('are stopped within one input, and it is said', () => {
    const u1 = user(
      tag('ping'),
      tag('pong'),
      journey('start', [putTag('a', 'ping')]),
      journey('to', [{ id: 'b', tag: { remove: 'ping' } }, putTag('c', 'pong')], {
        entry: { on: 'tag.added', tag: 'ping' },
        reentry: 'always',
      }),
      journey('fro', [{ id: 'd', tag: { remove: 'pong' } }, putTag('e', 'ping')], {
        entry: { on: 'tag.added', tag: 'pong' },
        reentry: 'always',
      }),
    )

    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(u1.said('journey.held')).toMatchObject([{ reason: 'cascade', limit: 100 }])

    u1.event('view', '2026-03-01T09:00:00Z')
    expect(u1.said('journey.held')).toHaveLength(1)
  })
})
