import { fileURLToPath } from 'node:url'
import { definePack, loadPack, PackError } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { atLeast, journey, score, send, tag, template, wait } from '../../testing/rules.js'
import { ruleCases } from '../testing/rule-cases.js'
import { formatRuleTest } from './rule-test-report.js'
import { runRuleTests } from './rule-tests.js'

const RULES = [
  tag('regular', atLeast(3, 'order_paid', { within: '30d' }), { name: '常客' }),
  tag('lively', atLeast(2, 'order_paid'), { subject: 'community' }),
  score('loyalty', [{ points: 10, event: 'order_paid' }], { tiers: [{ id: 'silver', from: 20 }] }),
  journey('remind', [wait('later', '2h'), send('push')], { exit: { on: 'event', event: 'order_paid' } }),
  template('hello', '您好'),
]

const order = (at: string, more: object = {}) => ({ at, user: 'u1', event: 'order_paid', ...more })

function test(given: readonly unknown[], expected: readonly unknown[], more: object = {}) {
  return { kind: 'test', id: 'a-test', given, expect: expected, ...more }
}

async function resultOf(...args: Parameters<typeof test>) {
  const [result] = await runRuleTests(definePack([...RULES, test(...args)]))
  if (result === undefined) throw new Error('there is no test')
  return result
}

describe('a test of rules that are right', () => {
  it.each<readonly [string, readonly unknown[], readonly unknown[]]>([
    [
      'sees tags come and go at their very instants',
      [order('1d'), order('2d'), order('3d')],
      [
        { tag: 'regular', user: 'u1', at: '2d', is: false },
        { tag: 'regular', user: 'u1', at: '3d' },
        { decision: 'tag.removed', rule: 'regular', user: 'u1', at: '31d' },
        { tag: 'regular', user: 'u1', at: '31d', is: false },
      ],
    ],
    [
      'sees scores, tiers and communities',
      [{ user: 'u1', community: 'c1', leader: 'l1' }, order('1d'), order('2d')],
      [
        { score: 'loyalty', user: 'u1', at: '1d', is: 10 },
        { score: 'loyalty', user: 'u1', is: 'silver' },
        { tag: 'lively', community: 'c1' },
        { decision: 'score.changed', rule: 'loyalty', user: 'u1', times: 2 },
      ],
    ],
    [
      'sees journeys, the steps at which they wait, and messages',
      [{ at: '2026-03-01T09:00:00+08:00', user: 'u1', event: 'cart' }],
      [
        { journey: 'remind', user: 'u1', at: '2026-03-01T10:59:00+08:00', is: 'later' },
        { journey: 'remind', user: 'u1', at: '2026-03-01T11:00:00+08:00', is: false },
        { decision: 'message.accepted', rule: 'remind', with: { channel: 'sms' }, at: '2026-03-01T11:00:00+08:00' },
        { never: 'message.suppressed' },
      ],
    ],
    [
      'sees what is never decided',
      [{ user: 'u1', event: 'cart' }, order('1h')],
      [
        { never: 'message.accepted', user: 'u1' },
        { decision: 'journey.exited', rule: 'remind', at: '1h' },
      ],
    ],
  ])('%s', async (_, given, expected) => {
    const result = await resultOf(given, expected, { until: '2026-06-01T00:00:00Z' })
    expect(formatRuleTest(result)).toBe('✓ a-test')
  })
})

describe('the tests of the example pack', () => {
  it('pass', async () => {
    const results = await runRuleTests(
      await loadPack(fileURLToPath(new URL('../../../../docs/examples', import.meta.url))),
    )
    expect(results.map(formatRuleTest)).toEqual([expect.stringMatching(/^✓ .*\(three-times-organic-until-fruit\)$/)])
  })
})

describe('a test of rules that are not as expected', () => {
  it('says what was expected, what was found, where, and why', async () => {
    const result = await resultOf([order('1d'), order('2d')], [{ tag: 'regular', user: 'u1' }], { name: '三次成常客' })

    expect(result.passed).toBe(false)
    const [title, message, place, ...why] = formatRuleTest(result).split('\n')
    expect(title).toBe('✗ 三次成常客 (a-test)')
    expect(message).toBe('    user:u1 at 2026-01-02T16:00:00.000Z should have the tag "regular".')
    expect(place).toBe('    (code)#/5/expect/0')
    expect(why.join('\n')).toContain('does not have the tag 常客 (regular)')
    expect(why.join('\n')).toContain('is 2')
  })

  it.each<readonly [string, readonly unknown[], unknown, string]>([
    ['a score', [order('1d')], { score: 'loyalty', user: 'u1', is: 20 }, 'should be 20, and is 10.'],
    ['a tier', [order('1d')], { score: 'loyalty', user: 'u1', is: 'silver' }, 'should be silver, and is in no tier.'],
    ['a step', [{ user: 'u1', event: 'cart' }], { journey: 'remind', user: 'u1', is: 'push' }, 'and is at "later".'],
    ['who is in no journey', [order('1d')], { journey: 'remind', user: 'u1' }, 'and is not in it.'],
    [
      'who is in a journey',
      [{ user: 'u1', event: 'cart' }],
      { journey: 'remind', user: 'u1', is: false },
      'not in the journey "remind"',
    ],
    ['a decision', [order('1d')], { decision: 'tag.added', rule: 'regular' }, 'There was no tag.added.'],
    [
      'a decision at another time',
      [order('1d'), order('2d'), order('3d')],
      { decision: 'tag.added', rule: 'regular', user: 'u1', at: '2d' },
      'There was: tag.added regular about user:u1 at 2026-01-03T16:00:00.000Z.',
    ],
    [
      'how often',
      [order('1d'), order('2d')],
      { decision: 'score.changed', rule: 'loyalty', times: 3 },
      'There should be 3 times a score.changed of "loyalty".',
    ],
    [
      'what should never be',
      [order('1d')],
      { never: 'score.changed' },
      'There should never be a score.changed, and there was',
    ],
    [
      'a decision that there is not',
      [],
      { never: 'tag.aded' },
      'There is no decision "tag.aded". There are: tag.added,',
    ],
    ['somebody unknown', [], { tag: 'regular', user: 'u9' }, 'user:u9 at'],
  ])('speaks of %s', async (_, given, expectation, message) => {
    const result = await resultOf(given, [expectation])
    expect(result.failures.map((failure) => failure.message)).toEqual([expect.stringContaining(message)])
  })

  it('says when what is given is refused', async () => {
    const result = await resultOf(
      [order('1d', { properties: { price: 'x'.repeat(70_000) } })],
      [{ never: 'tag.added' }],
    )
    expect(result.failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('What is given was refused'),
    ])
  })

  it('fails in a test runner with the same text', async () => {
    const [one] = ruleCases(definePack([...RULES, test([], [{ tag: 'regular', user: 'u1' }])]))
    await expect(one?.run()).rejects.toThrow(/should have the tag "regular"/)
  })
})

describe('a test that cannot be run', () => {
  const problemsOf = (...args: Parameters<typeof test>) => {
    try {
      definePack([...RULES, test(...args)])
    } catch (error) {
      if (error instanceof PackError) return error.problems.map(({ code, pointer }) => `${code} ${pointer}`)
      throw error
    }
    return []
  }

  it.each<readonly [string, Parameters<typeof test>, readonly string[]]>([
    ['an unknown tag', [[], [{ tag: 'regula', user: 'u1' }]], ['tag.unknown /5/expect/0/tag']],
    ['an unknown rule', [[], [{ never: 'tag.added', rule: 'regula' }]], ['rule.unknown /5/expect/0/rule']],
    ['nobody', [[], [{ tag: 'regular' }]], ['test.subject /5/expect/0']],
    ['two subjects', [[], [{ tag: 'regular', user: 'u1', leader: 'l1' }]], ['test.subject /5/expect/0']],
    ['no time', [[order('soon')], [{ never: 'tag.added' }]], ['test.time /5/given/0/at']],
    ['a start that is no time', [[], [{ never: 'tag.added' }], { start: '2d' }], ['test.time /5/start']],
    [
      'an end before its last time',
      [[order('3d')], [{ never: 'tag.added' }], { until: '1d' }],
      ['test.until /5/until'],
    ],
    [
      'something before its start',
      [[order('2025-12-01T00:00:00Z')], [{ never: 'tag.added' }]],
      ['test.start /5/given/0/at'],
    ],
  ])('is refused: %s', (_, args, problems) => {
    expect(problemsOf(...args)).toEqual(problems)
  })
})
