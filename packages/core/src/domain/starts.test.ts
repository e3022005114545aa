import { describe, expect, it } from 'vitest'
import { journey, putTag, tag, tagged, wait } from '../../testing/rules.js'
import { programOf, TestSubject } from '../../testing/subject.js'

const user = (...rules: readonly unknown[]) => new TestSubject(programOf(...rules))
const byStart = (conditions?: unknown) => ({ entry: { on: 'start', ...(conditions !== undefined && { conditions }) } })
const end = (id: string) => [{ id, exit: { reason: id } }]
const start = (more: Record<string, unknown> = {}, branches: Record<string, unknown> = {}) => ({
  id: 'care',
  start: { journey: 'care', ...more },
  ...branches,
})
const exits = (u1: TestSubject) => u1.said('journey.exited').map(({ rule, reason }) => `${rule}: ${reason}`)

describe('a start step', () => {
  it('begins a run of another journey, and goes on at once', () => {
    const u1 = user(journey('care', [wait('later', '1d')], byStart()), journey('order', [start(), wait('rest', '1h')]))

    u1.event('cart', '2026-03-01T08:00:00Z')

    const [order, care] = u1.said('journey.entered')
    expect([order?.['rule'], care?.['rule']]).toEqual(['order', 'care'])
    expect(care).toMatchObject({ startedBy: order?.['run'] })
    expect(u1.state.runs).toMatchObject([
      { journey: 'order', step: 'rest' },
      { journey: 'care', step: 'later' },
    ])
  })

  it('with `wait` goes on when that run has ended', () => {
    const u1 = user(
      tag('done'),
      journey('care', [wait('later', '1d'), putTag('mark', 'done')], byStart()),
      journey('order', [start({ wait: '7d' }, { then: end('ended'), else: end('too-late') })]),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')
    expect(u1.next).toBe('2026-03-02T08:00:00.000Z')

    u1.instant('2026-03-02T08:00:00Z')

    expect(exits(u1)).toEqual(['care: completed', 'order: ended'])
  })

  it('with `wait` goes on at once where that run ends at once', () => {
    const u1 = user(
      tag('done'),
      journey('care', [putTag('mark', 'done')], byStart()),
      journey('order', [start({ wait: '7d' }, { then: end('ended'), else: end('too-late') })]),
    )

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(exits(u1)).toEqual(['care: completed', 'order: ended'])
  })

  it('with `wait` takes `else` when that run lasts too long; it goes on by itself', () => {
    const u1 = user(
      journey('care', [wait('later', '9d')], byStart()),
      journey('order', [start({ wait: '7d' }, { then: end('ended'), else: end('too-late') })]),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')

    u1.instant('2026-03-08T07:59:59.999Z')
    expect(u1.state.runs).toHaveLength(2)
    u1.instant('2026-03-08T08:00:00.000Z')

    expect(exits(u1)).toEqual(['order: too-late'])
    expect(u1.state.runs).toMatchObject([{ journey: 'care', step: 'later' }])
  })

  it('takes `else` where the journey lets nobody in', () => {
    const branches = { then: end('begun'), else: end('not-begun') }
    const held = user(
      journey('care', [wait('later', '9d')], byStart(tagged('vip'))),
      tag('vip'),
      journey('order', [start({}, branches)]),
    )
    held.event('cart', '2026-03-01T08:00:00Z')
    expect(exits(held)).toEqual(['order: not-begun'])
    expect(held.said('journey.held')).toMatchObject([{ rule: 'care', reason: 'conditions' }])

    const again = user(
      journey('care', [wait('later', '9d')], byStart()),
      journey('order', [start({}, branches)], { reentry: 'always' }),
    )
    again.event('cart', '2026-03-01T08:00:00Z')
    again.event('cart', '2026-03-01T09:00:00Z')
    expect(exits(again)).toEqual(['order: begun', 'order: not-begun'])
    expect(again.said('journey.held')).toMatchObject([{ rule: 'care', reason: 'active' }])
  })

  it('hands on the event that brought the run there, and the key that it has', () => {
    const u1 = user(
      journey('care', [wait('later', '9d')], { ...byStart(), key: 'orderId' }),
      journey('order', [{ id: 'paid', waitFor: { event: 'paid', timeout: '1d' } }, start()]),
    )
    u1.event('cart', '2026-03-01T08:00:00Z')
    u1.event('paid', '2026-03-01T09:00:00Z', { orderId: 'o-7' })

    expect(u1.state.runs).toMatchObject([{ journey: 'care', key: 'o-7' }])
  })

  it('may start a journey that is entered otherwise, too', () => {
    const u1 = user(
      journey('care', [wait('later', '9d')], { entry: { on: 'event', event: 'ticket_opened' } }),
      journey('order', [start()]),
    )

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.state.runs).toMatchObject([{ journey: 'care' }])
  })

  it('that leads in a circle is cut off, and says so', () => {
    const u1 = user(
      journey('care', [{ id: 'back', start: { journey: 'order' } }], { ...byStart(), reentry: 'always' }),
      journey('order', [start()], { reentry: 'always' }),
    )

    u1.event('cart', '2026-03-01T08:00:00Z')

    expect(u1.said('journey.held')).toMatchObject([{ reason: 'chain', limit: 100 }])
    expect(u1.state.runs).toEqual([])
  })

  it('is refused for a journey that is not there', () => {
    expect(() => user(journey('order', [start()]), journey('cares', [wait('later', '1h')], byStart()))).toThrow(
      /Did you mean "cares"/,
    )
  })
})
