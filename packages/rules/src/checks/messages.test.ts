import { describe, expect, it } from 'vitest'
import { count, journey, template } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const send = { id: 'send', send: { template: 't', channel: 'sms', class: 'service' } }
const suggest = (expires?: string) => ({
  id: 'tell',
  suggest: { to: 'leader', template: 't', ...(expires && { expires }) },
})
const issue = (more: object = {}) => ({ id: 'coupon', issue: { offer: 'o' }, ...more })
const end = [{ id: 'end', exit: {} }]
const wait = (length: string) => ({ id: `w${length}`, wait: length })
const byTag = { on: 'tag.added', tag: 'a' }

function review(
  body: string,
  steps: readonly unknown[],
  { entry, offer = {} }: { entry?: object; offer?: object } = {},
) {
  return reviewPack(
    definePack([
      journey({ steps, ...(entry && { entry }) }),
      template(body),
      { kind: 'tag', id: 'a' },
      { kind: 'offer', id: 'o', total: 9, ...offer },
      { kind: 'offer', id: 'other', total: 9 },
    ]),
  )
}

function found(...args: Parameters<typeof review>): string[] {
  return review(...args).map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`)
}

describe('a message that needs a coupon', () => {
  const body = '{{ coupon.code }}'

  it('is never sent where none is issued before it', () => {
    expect(review(body, [send, issue()])).toMatchObject([
      {
        severity: 'error',
        code: 'template.noValue',
        pointer: '/0/steps/0/send/template',
        found: '"t"',
        message:
          'The template "t" needs "coupon", and a run has none here: this is never sent. Put an "issue" before it, and where there is no coupon, end the run in its "else" or go another way, or give the variable a default: {{ coupon.… | default: "…" }}.',
      },
    ])
    expect(found(body, [suggest()])).toEqual(['error template.noValue /0/steps/0/suggest/template'])
  })

  it('may not be sent where one is not issued on every way to it', () => {
    expect(found(body, [issue(), send])).toEqual(['warning template.noValue /0/steps/1/send/template'])
    expect(found(body, [{ id: 'b', branch: [{ conditions: count(), then: [issue({ else: end })] }] }, send])).toEqual([
      'warning template.noValue /0/steps/1/send/template',
    ])
  })

  it('is never sent where the coupon was refused', () => {
    expect(found(body, [issue({ else: [send] })])).toEqual(['error template.noValue /0/steps/0/else/0/send/template'])
  })

  it('may be sent to whose run began with an earlier definition', () => {
    const rules = [journey({ steps: [send], earlier: { moveTo: 'send' } }), template(body)]
    expect(reviewPack(definePack(rules))).toMatchObject([{ severity: 'warning', code: 'template.noValue' }])
  })

  it('is sent where every way to it has issued one', () => {
    expect(found(body, [issue({ else: end }), send])).toEqual([])
    expect(found(body, [issue({ else: [{ id: 'second', issue: { offer: 'other' }, else: end }] }), send])).toEqual([])
    const split = [
      { id: 'x', weight: 1, then: [issue({ else: end })] },
      { id: 'y', weight: 1, then: [{ id: 'out', exit: {} }] },
    ]
    expect(found(body, [{ id: 's', split }, send])).toEqual([])
  })

  it('can do without where it says so', () => {
    for (const without of [
      '{{ coupon.code | default: "—" }}',
      '{% if coupon.code %}{{ coupon.code }}{% endif %}',
      '{% if traits.vip %}{{ coupon.code }}{% endif %}',
    ]) {
      expect(found(without, [send])).toEqual([])
    }
  })
})

describe('a message that needs an event', () => {
  const taken = { id: 'w', waitFor: { event: 'paid', timeout: '1d' }, then: [send] }

  it('is never sent by a journey that no event began, and that has waited for none', () => {
    expect(found('{{ entry.name }}', [send], { entry: byTag })).toEqual([
      'error template.noValue /0/steps/0/send/template',
    ])
    expect(found('{{ entry.name }}', [taken], { entry: byTag })).toHaveLength(1)
    expect(review('{{ event.name }}', [send], { entry: byTag })[0]?.message).toContain(
      'This journey is entered by "tag.added", not by an event: send it where one has come, in the "then" of a "waitFor", or',
    )
  })

  it('may not be sent where one came on some ways only', () => {
    const waited = { id: 'w', waitFor: { event: 'paid', timeout: '1d' } }
    expect(found('{{ event.name }}', [waited, send], { entry: byTag })).toEqual([
      'warning template.noValue /0/steps/1/send/template',
    ])
    const state = { id: 'w', waitFor: { any: [{ id: 'c', conditions: count(), then: [send] }], timeout: '1d' } }
    expect(found('{{ event.name }}', [state], { entry: byTag })).toHaveLength(1)
  })

  it('is sent where an event began the run, or has come', () => {
    expect(found('{{ entry.name }}{{ event.name }}', [send])).toEqual([])
    expect(found('{{ event.name }}', [taken], { entry: byTag })).toEqual([])
    expect(found('{{ traits.name }}{{ journey.id }}', [send], { entry: byTag })).toEqual([])
  })
})

describe('a message of a journey that another one starts', () => {
  const starting = (entry: object) => [
    journey({ steps: [send], entry }),
    journey({ id: 'other', steps: [{ id: 's', start: { journey: 'j' } }] }),
    template('{{ entry.name }}'),
    { kind: 'tag', id: 'a' },
  ]

  it('has the event of that one, and may lack one where it is entered otherwise, too', () => {
    expect(reviewPack(definePack(starting({ on: 'start' })))).toEqual([])
    expect(reviewPack(definePack(starting(byTag)))).toMatchObject([
      { severity: 'warning', code: 'template.noValue', pointer: '/0/steps/0/send/template' },
    ])
  })
})

describe('a message about what a digest has collected', () => {
  it('is never sent where there is no digest before it', () => {
    const digest = { id: 'd', digest: { for: '2h' } }
    expect(found('{{ digest.count }}', [send])).toEqual(['error template.noValue /0/steps/0/send/template'])
    expect(found('{{ digest.count }}', [digest, send])).toEqual([])
  })
})

describe('a message about a coupon', () => {
  const body = '{{ coupon.code }}'
  const week = { offer: { expires: '7d' } }

  it('comes too late where the coupon is over before it', () => {
    const steps = [issue({ else: end }), wait('4d'), wait('3d'), send]
    expect(review(body, steps, week)).toMatchObject([
      {
        severity: 'warning',
        code: 'coupon.expired',
        pointer: '/0/steps/3/send',
        message:
          'The template "t" tells of a coupon of "o", which is good for 7d, and it was issued at least 7d ago: it is over. Wait less, issue it later, or let it be good for longer.',
      },
    ])
    const waited = { id: 'w', waitFor: { event: 'paid', timeout: '7d' }, then: [{ id: 'x', exit: {} }] }
    expect(found(body, [issue({ else: end }), waited, send], week)).toEqual(['warning coupon.expired /0/steps/2/send'])
  })

  it('comes in time where it may be good still', () => {
    const waited = { id: 'w', waitFor: { event: 'paid', timeout: '7d' } }
    expect(found(body, [issue({ else: end }), wait('6d'), send], week)).toEqual([])
    expect(found(body, [issue({ else: end }), waited, send], week)).toEqual([])
    expect(found(body, [issue({ else: end }), wait('30d'), send])).toEqual([])
    expect(found('x', [issue({ else: end }), wait('30d'), send], week)).toEqual([])
    const again = { id: 'again', issue: { offer: 'other' }, else: [{ id: 'e2', exit: {} }] }
    expect(found(body, [issue({ else: end }), wait('30d'), again, send], week)).toEqual([])
  })

  it('is no suggestion that stays open for longer than the coupon is good', () => {
    const steps = (expires?: string) => [issue({ else: end }), wait('2d'), suggest(expires)]
    expect(review(body, steps('6d'), week)).toMatchObject([
      {
        code: 'coupon.expired',
        pointer: '/0/steps/2/suggest',
        message:
          'The template "t" tells of a coupon of "o", which is good for 7d, of which at least 2d are over by then, and the suggestion stays open for 6d: in the end the coupon is over. Give it "expires" of 5d at most.',
      },
    ])
    expect(found(body, steps(), week)).toEqual(['warning coupon.expired /0/steps/2/suggest'])
    expect(found(body, steps('5d'), week)).toEqual([])
  })
})
