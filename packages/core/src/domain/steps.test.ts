import { describe, expect, it } from 'vitest'
import {
  atLeast,
  atMost,
  eventHas,
  journey,
  putTag,
  send,
  tag,
  tagged,
  template,
  traitIs,
  wait,
} from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))

describe('a wait', () => {
  it('lasts its time, to the millisecond', () => {
    const u1 = user(tag('late'), journey('remind', [wait('later', '2h'), putTag('mark', 'late')]))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.instant('2026-03-01T09:59:59.999Z')
    expect(u1.has('late')).toBe(false)

    u1.instant('2026-03-01T10:00:00.000Z')
    expect(u1.has('late')).toBe(true)
    expect(u1.said('journey.exited')).toMatchObject([{ reason: 'completed' }])
  })

  it('begins when the step before ends, however late that is looked at', () => {
    const u1 = user(journey('remind', [wait('first', '1h'), wait('second', '1h')]))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.instant('2026-03-05T00:00:00Z')

    expect(u1.log.at(-1)).toBe('2026-03-01T10:00:00.000Z journey.exited remind')
  })
})

describe('a wait until a date', () => {
  const steps = [
    {
      id: 'day-before',
      wait: { trait: 'delivery', before: '1d', at: '18:00' },
      else: [{ id: 'none', exit: { reason: 'no delivery' } }],
    },
    putTag('mark', 'told'),
  ]
  const rules = [tag('told'), journey('remind', steps)]

  it("ends at the local time of the trait's day", () => {
    const u1 = user(...rules)
    u1.identify('2026-03-01T00:00:00Z', { delivery: '2026-03-05' })
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.instant('2026-03-04T09:59:59.999Z')
    expect(u1.has('told')).toBe(false)

    u1.instant('2026-03-04T10:00:00.000Z')
    expect(u1.has('told')).toBe(true)
  })

  it('goes another way without a date to come, and says so', () => {
    const u1 = user(...rules)
    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.said('journey.stepped')).toMatchObject([
      { step: 'day-before', reason: 'no date to come' },
      { step: 'none' },
    ])
    expect(u1.said('journey.exited')).toMatchObject([{ reason: 'no delivery' }])
  })

  it('goes on at once when it is just that time', () => {
    const u1 = user(...rules)
    u1.identify('2026-03-01T00:00:00Z', { delivery: '2026-03-05' })
    u1.event('cart', '2026-03-04T10:00:00.000Z')

    expect(u1.has('told')).toBe(true)
  })
})

describe('a wait for the first of several things', () => {
  const leave = (reason: string) => [{ id: `is-${reason}`, exit: { reason } }]
  const step = {
    id: 'what',
    waitFor: {
      any: [
        { id: 'paid', event: 'order', conditions: eventHas('kind', 'fruit'), then: leave('paid') },
        { id: 'viewed', event: ['view', 'order'], then: leave('viewed') },
        { id: 'quiet', conditions: atMost(0, 'view', { within: '7d' }), then: leave('quiet') },
        { id: 'vip', conditions: tagged('vip'), then: leave('vip') },
      ],
      timeout: '30d',
    },
    else: leave('late'),
  }
  const rules = [tag('vip', atLeast(3, 'click')), journey('remind', [step])]
  const begun = () => {
    const u1 = user(...rules)
    u1.event('view', '2026-03-01T00:00:00Z')
    u1.event('cart', '2026-03-01T08:00:00Z')
    return u1
  }
  const ends = (u1: TestSubject) => u1.said('journey.exited').map(({ reason }) => reason)

  it('takes the first case that an event meets, and says which', () => {
    const u1 = begun()
    u1.event('order', '2026-03-02T08:00:00Z', { kind: 'fruit' })
    expect(ends(u1)).toEqual(['paid'])
    expect(u1.said('journey.stepped')).toMatchObject([{ step: 'what' }, { step: 'what', case: 'paid' }, {}])

    const u2 = begun()
    u2.event('order', '2026-03-02T08:00:00Z', { kind: 'milk' })
    expect(ends(u2)).toEqual(['viewed'])
  })

  it('takes conditions at the very instant at which time makes them hold', () => {
    const u1 = begun()
    expect(u1.next).toBe('2026-03-08T00:00:00.000Z')

    u1.instant('2026-03-20T00:00:00Z')

    expect(u1.log.at(-1)).toBe('2026-03-08T00:00:00.000Z journey.exited remind')
    expect(ends(u1)).toEqual(['quiet'])
  })

  it('takes conditions that an event makes hold, if it meets no case itself', () => {
    const u1 = begun()
    for (const minute of ['01', '02', '03']) u1.event('click', `2026-03-02T08:${minute}:00Z`)
    expect(ends(u1)).toEqual(['vip'])
  })

  it('takes at once what holds already', () => {
    const u1 = user(...rules)
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(ends(u1)).toEqual(['quiet'])
  })

  it('ends at its timeout, also when conditions would hold from that instant on', () => {
    const late = { ...step, waitFor: { ...step.waitFor, timeout: '64h' } }
    const u1 = user(tag('vip'), journey('remind', [late]))
    u1.event('view', '2026-02-25T00:00:00Z')
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.instant('2026-03-05T00:00:00Z')

    expect(u1.log.at(-1)).toBe('2026-03-04T00:00:00.000Z journey.exited remind')
    expect(ends(u1)).toEqual(['late'])
  })
})

describe('what a step says', () => {
  const kind = { fact: 'event', params: { property: 'kind' } }
  const steps = [
    { id: 'note', set: { trait: 'lastKind', value: kind } },
    {
      id: 'which',
      branch: [{ conditions: traitIs('lastKind', 'fruit'), then: [{ id: 'yes', exit: { reason: 'fruit' } }] }],
    },
  ]

  it('is wished for with the values of then, and the run waits until it is in the log', () => {
    const u1 = user(journey('remember', steps))
    u1.event('cart', '2026-03-01T08:00:00Z', { kind: 'fruit' })
    expect(u1.effects).toMatchObject([
      { kind: 'say', type: 'identify', event: 'identify', values: { lastKind: 'fruit' } },
    ])
    expect(u1.state.runs).toMatchObject([{ step: 'note', until: 0 }])

    u1.identify('2026-03-01T08:00:00Z', { lastKind: 'fruit' })
    u1.outcome('2026-03-01T08:00:00Z')

    expect(u1.said('journey.exited')).toMatchObject([{ reason: 'fruit' }])
  })

  it('may be an event of its own, with properties of the one that brought the run there', () => {
    const emit = { id: 'tell', emit: { event: 'fruit_wanted', properties: { kind, from: '团购' } } }
    const u1 = user(journey('remember', [wait('later', '1h'), emit]))
    u1.event('cart', '2026-03-01T08:00:00Z', { kind: 'fruit' })

    u1.event('view', '2026-03-01T10:00:00Z', { kind: 'milk' })

    expect(u1.effects).toMatchObject([
      { kind: 'say', type: 'track', event: 'fruit_wanted', values: { kind: 'fruit', from: '团购' } },
    ])
  })
})

describe('a split', () => {
  const variant = (id: string, weight: number) => ({ id, weight, then: [{ id: `in-${id}`, exit: { reason: id } }] })
  const program = programOf(journey('try', [{ id: 'ab', split: [variant('a', 1), variant('b', 3)] }]))
  const variantsOf = (id: string) => {
    const subject = new TestSubject(program, { kind: 'user', id })
    subject.event('cart', '2026-03-01T08:00:00Z')
    subject.event('cart', '2026-04-01T08:00:00Z')
    return subject.said('journey.exited').map(({ reason }) => reason)
  }

  it('gives each variant its share, and everybody always the same one', () => {
    const taken = Array.from({ length: 2000 }, (_, index) => variantsOf(`u${index}`))
    expect(taken.every(([first, second]) => first === second)).toBe(true)
    const share = taken.filter(([first]) => first === 'a').length / taken.length
    expect(share).toBeGreaterThan(0.22)
    expect(share).toBeLessThan(0.28)
  })

  it('says which variant was taken; one without steps goes on', () => {
    const u1 = user(
      journey('try', [
        {
          id: 'ab',
          split: [
            { id: 'a', weight: 1 },
            { id: 'b', weight: 1e-6 },
          ],
        },
        wait('w', '1h'),
      ]),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.said('journey.stepped')).toMatchObject([{ step: 'ab', variant: 'a' }, { step: 'w' }])
  })
})

describe('a branch', () => {
  const steps = [
    {
      id: 'which',
      branch: [
        { conditions: tagged('regular'), then: [{ id: 'a', exit: { reason: 'regular' } }] },
        { conditions: traitIs('city', 'Shanghai'), then: [{ id: 'b', exit: { reason: 'Shanghai' } }] },
      ],
      else: [{ id: 'c', exit: { reason: 'neither' } }],
    },
  ]
  const rules = [tag('regular', atLeast(2, 'order')), journey('remind', steps)]
  const reason = (u1: TestSubject) => {
    u1.event('cart', '2026-03-01T08:00:00Z')
    return u1.said('journey.exited').map((exit) => exit['reason'])
  }

  it('takes the first case whose conditions hold', () => {
    const u1 = user(...rules)
    u1.identify('2026-02-01T08:00:00Z', { city: 'Shanghai' })
    u1.event('order', '2026-02-01T08:00:00Z')
    u1.event('order', '2026-02-02T08:00:00Z')

    expect(reason(u1)).toEqual(['regular'])
  })

  it('takes a later case when the first does not hold', () => {
    const u1 = user(...rules)
    u1.identify('2026-02-01T08:00:00Z', { city: 'Shanghai' })

    expect(reason(u1)).toEqual(['Shanghai'])
  })

  it('takes `else` when none holds', () => {
    expect(reason(user(...rules))).toEqual(['neither'])
  })

  it('without `else` goes on after itself', () => {
    const [first] = steps
    const u1 = user(
      tag('regular', atLeast(2, 'order')),
      journey('remind', [{ ...first, else: undefined }, wait('w', '1h')]),
    )

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.steps).toEqual(['which', 'w'])
  })

  it('looks at the event that brought the run there, also after a wait', () => {
    const fruit = { conditions: eventHas('kind', 'fruit'), then: [{ id: 'yes', exit: { reason: 'fruit' } }] }
    const u1 = user(journey('remind', [wait('later', '1h'), { id: 'which', branch: [fruit] }]))
    u1.event('cart', '2026-03-01T08:00:00Z', { kind: 'fruit' })

    u1.event('view', '2026-03-01T10:00:00Z', { kind: 'milk' })

    expect(u1.said('journey.exited')).toMatchObject([{ reason: 'fruit' }])
  })

  it('looks at the event that was waited for last', () => {
    const fruit = { conditions: eventHas('kind', 'fruit'), then: [{ id: 'yes', exit: { reason: 'fruit' } }] }
    const waitFor = { id: 'bought', waitFor: { event: 'order', timeout: '1d' } }
    const u1 = user(journey('remind', [waitFor, { id: 'which', branch: [fruit] }]))
    u1.event('cart', '2026-03-01T08:00:00Z', { kind: 'milk' })

    u1.event('order', '2026-03-01T10:00:00Z', { kind: 'fruit' })

    expect(u1.said('journey.exited')).toMatchObject([{ reason: 'fruit' }])
  })
})

describe('a tag step', () => {
  it('puts a tag on and takes it off; nothing is said of what is so already', () => {
    const u1 = user(
      tag('greeted'),
      journey('remind', [putTag('a', 'greeted'), putTag('b', 'greeted'), { id: 'c', tag: { remove: 'greeted' } }]),
    )

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.log.filter((line) => line.includes('tag.'))).toEqual([
      '2026-03-01T08:00:00.000Z tag.added greeted',
      '2026-03-01T08:00:00.000Z tag.removed greeted',
    ])
  })

  it('lets another journey enter', () => {
    const u1 = user(
      tag('greeted'),
      journey('greet', [putTag('a', 'greeted')]),
      journey('follow', [wait('later', '1h')], { entry: { on: 'tag.added', tag: 'greeted' } }),
    )

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.state.runs).toMatchObject([{ journey: 'follow' }])
  })
})

describe('an exit step', () => {
  it('ends the run with its reason, whatever follows', () => {
    const u1 = user(journey('remind', [{ id: 'stop', exit: { reason: 'enough' } }, wait('never', '1h')]))

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.steps).toEqual(['stop'])
    expect(u1.said('journey.exited')).toMatchObject([{ step: 'stop', reason: 'enough' }])
  })
})

describe('a send step', () => {
  it('wishes for a message and waits for what becomes of it', () => {
    const u1 = user(template('hello'), journey('remind', [send('push'), wait('later', '1h')]))

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.effects).toMatchObject([{ kind: 'send', template: 'hello', channels: ['sms'], class: 'promotion' }])
    expect(u1.state.runs).toMatchObject([{ step: 'push', until: 0 }])
    u1.outcome('2026-03-01T09:00:00Z')
    expect(u1.state.runs).toMatchObject([{ step: 'later', until: Date.parse('2026-03-01T10:00:00Z') }])
  })

  it('goes on also when the message never left', () => {
    const u1 = user(template('hello'), journey('remind', [send('push'), wait('later', '1h')]))
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.outcome('2026-03-01T09:00:00Z', 'refused')

    expect(u1.steps).toEqual(['push', 'later'])
  })

  it('takes along the event and the entry that the template reads', () => {
    const u1 = user(
      template('hello', '{{ entry.cartId }} {{ event.orderId }}'),
      journey('remind', [{ id: 'bought', waitFor: { event: 'order', timeout: '1d' } }, send('push')]),
    )
    u1.event('cart', '2026-03-01T08:00:00Z', { cartId: 'c1' })

    u1.event('order', '2026-03-01T09:00:00Z', { orderId: 'o1' })

    expect(u1.effects).toMatchObject([{ variables: { entry: { cartId: 'c1' }, event: { orderId: 'o1' } } }])
  })

  it('ignores an outcome of a run that has ended', () => {
    const u1 = user(
      template('hello'),
      journey('remind', [send('push'), wait('later', '1h')], { exit: { on: 'event', event: 'order' } }),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')
    const [run] = u1.state.runs
    u1.event('order', '2026-03-01T08:30:00Z')

    u1.take({
      kind: 'outcome',
      at: Date.parse('2026-03-01T09:00:00Z'),
      run: run?.id ?? '',
      step: 'push',
      result: 'accepted',
    })

    expect(u1.state.runs).toEqual([])
    expect(u1.steps).toEqual(['push'])
  })
})

describe('a step that says something of which nothing is known', () => {
  it('leaves it out, and leaves the trait as it is', () => {
    const city = { fact: 'event', params: { property: 'city' } }
    const u1 = user(
      journey('remind', [
        { id: 'move', set: { trait: 'city', value: city } },
        { id: 'tell', emit: { event: 'moved', properties: { city, by: 'remind' } } },
      ]),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.outcome('2026-03-01T08:00:01Z')

    expect(u1.effects.map((effect) => 'values' in effect && Object.entries(effect.values))).toEqual([
      [],
      [['by', 'remind']],
    ])
  })
})

describe('an issue step', () => {
  const rules = [
    { kind: 'offer', id: 'trial', total: 10 },
    journey('remind', [
      { id: 'coupon', issue: { offer: 'trial' }, else: [{ id: 'none', exit: { reason: 'no coupon' } }] },
      wait('later', '1h'),
    ]),
  ]

  it('goes on with the coupon', () => {
    const u1 = user(...rules)
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(u1.effects).toMatchObject([{ kind: 'issue', offer: 'trial' }])
    const [run] = u1.state.runs
    const coupon = { offer: 'trial', name: 'trial', code: 'X' }

    u1.take({
      kind: 'outcome',
      at: Date.parse('2026-03-01T08:00:01Z'),
      run: run?.id ?? '',
      step: 'coupon',
      result: 'accepted',
      coupon,
    })

    expect(u1.state.runs).toMatchObject([{ step: 'later', coupon }])
  })

  it('takes `else` when there is none', () => {
    const u1 = user(...rules)
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.outcome('2026-03-01T08:00:01Z', 'refused')

    expect(u1.said('journey.exited')).toMatchObject([{ reason: 'no coupon' }])
  })
})

describe('a suggest step', () => {
  const rules = [
    template('tip'),
    journey('remind', [{ id: 'tell', suggest: { to: 'leader', template: 'tip', expires: '24h' } }]),
  ]

  it('is for the leader that is known, and expires', () => {
    const u1 = user(...rules)
    u1.event('group', '2026-03-01T07:00:00Z', {}, { changes: { relations: { community: 'c1', leader: 'l1' } } })

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.effects).toMatchObject([{ kind: 'suggest', to: 'l1', expiresAt: Date.parse('2026-03-02T08:00:00Z') }])
  })

  it('is suppressed, with a reason, when no leader is known', () => {
    const u1 = user(...rules)

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.effects).toEqual([])
    expect(u1.said('message.suppressed')).toMatchObject([{ reason: 'no leader', step: 'tell' }])
  })
})
