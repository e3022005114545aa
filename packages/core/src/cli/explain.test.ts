import { definePack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { atLeast, journey, tag, traitIs, wait } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'
import { createEngine } from '../engine.js'
import { virtualClock } from '../queue/clocks.js'

const scratch = scratchFolder()
const RULES = [
  tag('regular', { all: [atLeast(2, 'order', { within: '30d' }), traitIs('city', 'Shanghai')] }, { name: '常客' }),
  tag('busy', atLeast(2, 'order'), { subject: 'community' }),
  journey('thank', [wait('later', '2d')], {
    entry: { on: 'event', event: 'order', conditions: traitIs('city', 'Shanghai') },
  }),
]
const EVENTS = [
  { type: 'identify', userId: 'u1', messageId: 'i1', timestamp: '2026-03-01T08:00:00Z', traits: { city: 'Shanghai' } },
  { type: 'group', userId: 'u1', groupId: 'c1', messageId: 'g1', timestamp: '2026-03-01T08:00:00Z' },
  { event: 'order', userId: 'u1', messageId: 'm1', timestamp: '2026-03-01T09:00:00Z' },
  { event: 'order', userId: 'u1', messageId: 'm2', timestamp: '2026-03-05T09:00:00Z' },
] as const

function explain(...flags: readonly string[]) {
  const rules = scratch.rules('rules.json', ...RULES)
  const events = scratch.events('events.ndjson', ...EVENTS)
  return linli('explain', '--rules', rules, '--events', events, ...flags)
}

describe('linli explain', () => {
  it('says in words why a tag is on: each condition with its actual value, and what was decided', async () => {
    const { code, stdout } = await explain('--user', 'u1', '--rule', 'regular')

    expect(code).toBe(0)
    expect(stdout.split('\n')).toEqual([
      '2026-03-05 17:00:00 (Asia/Shanghai)  user:u1 has the tag 常客 (regular), since 2026-03-05 17:00:00, until 2026-03-31 17:00:00',
      '  ✓ all of these  (until 2026-03-31 17:00:00)',
      '    ✓ number of order in the last 30d ≥ 2: is 2  (until 2026-03-31 17:00:00)',
      '      · 2026-03-05 17:00:00  order  (m2)',
      '      · 2026-03-01 17:00:00  order  (m1)',
      '    ✓ trait city = "Shanghai": is "Shanghai"',
      'What would turn it off:',
      '  one of these',
      '    time alone, at 2026-03-31 17:00:00, if nothing new happens',
      '    not: trait city = "Shanghai"',
      'What was decided:',
      '  2026-03-05 17:00:00  tag put on  regular',
      '',
    ])
  })

  it('says it in Chinese', async () => {
    const { stdout } = await explain(
      '--user',
      'u1',
      '--rule',
      'regular',
      '--language',
      'zh',
      '--at',
      '2026-03-02T00:00:00Z',
    )

    expect(stdout.split('\n').slice(0, 7)).toEqual([
      '2026-03-02 08:00:00 (Asia/Shanghai)  user:u1 没有标签 常客 (regular)',
      '  ✗ 全部满足',
      '    ✗ 最近 30天 order 的次数 ≥ 2：实际 1',
      '      · 2026-03-01 17:00:00  order  (m1)',
      '    ✓ 资料 city = "Shanghai"：实际 "Shanghai"',
      '怎样会有：',
      '  再有 1 次 order，在 2026-03-31 17:00:00 之前',
    ])
  })

  it('with --json prints exactly one JSON document', async () => {
    const { code, stdout } = await explain(
      '--user',
      'u1',
      '--rule',
      'regular',
      '--at',
      '2026-04-10T00:00:00Z',
      '--json',
    )

    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      subject: 'user:u1',
      rule: 'regular',
      kind: 'tag',
      name: '常客',
      at: '2026-04-10T00:00:00.000Z',
      holds: false,
      until: null,
      conditions: {
        kind: 'all',
        parts: [
          { fact: 'eventCount', actual: 0, expected: 2 },
          { fact: 'trait', actual: 'Shanghai' },
        ],
      },
      decisions: [{ decision: 'tag.added' }, { decision: 'tag.removed' }],
    })
  })

  it('shows exact values, not only as many as the rule needs', async () => {
    const many = Array.from({ length: 9 }, (_, index) => ({
      event: 'order',
      userId: 'u1',
      messageId: `x${index}`,
      timestamp: '2026-03-06T00:00:00Z',
    }))
    const rules = scratch.rules('rules.json', ...RULES)
    const events = scratch.events('events.ndjson', ...EVENTS, ...many)

    const { stdout } = await linli('explain', '--rules', rules, '--events', events, '--user', 'u1', '--rule', 'regular')

    expect(stdout).toContain('≥ 2: is 11')
  })

  it('says of a journey whether one is in it, and how one enters', async () => {
    const inside = await explain('--user', 'u1', '--rule', 'thank')
    const outside = await explain('--user', 'u1', '--rule', 'thank', '--at', '2026-03-04T00:00:00Z')

    expect(inside.stdout).toContain(
      'user:u1 is in the journey thank, since 2026-03-05 17:00:00, until 2026-03-07 17:00:00',
    )
    expect(inside.stdout).toContain(
      'Let in at 2026-03-05 17:00:00, because:\n  Event: 2026-03-05 17:00:00  order (m2)\n',
    )
    expect(outside.stdout).toContain('user:u1 is not in the journey thank')
    expect(outside.stdout).toContain('journey left  thank  step=later  reason=completed')
  })

  it('says how a decision of the simulation came about, by its line', async () => {
    const text = await explain('--decision', '4')
    const json = await explain('--decision', '4', '--json')

    expect(text.stdout.split('\n').slice(0, 5)).toEqual([
      'user:u1  2026-03-05 17:00:00  tag put on  regular',
      'The rule: 常客 (tag regular)',
      'Brought about by:',
      '  2026-03-05 17:00:00  order  (m2)  {}',
      'As it was then:',
    ])
    expect(JSON.parse(json.stdout)).toMatchObject({
      decision: { decision: 'tag.added', messageId: 'm2' },
      rule: { id: 'regular' },
      event: { messageId: 'm2' },
      explained: { holds: true },
      earlier: [],
    })
  })

  it('explains communities', async () => {
    const { code, stdout } = await explain('--community', 'c1', '--rule', 'busy')

    expect(code).toBe(0)
    expect(stdout).toContain('community:c1 has the tag busy')
  })

  it('explains from the database of an engine, with the same words', async () => {
    const folder = scratch.path('database')
    const pack = definePack(RULES)
    const engine = await createEngine({ rules: pack, database: folder, clock: virtualClock('2026-03-05T09:00:00Z') })
    await engine.ingest(EVENTS)
    await engine.close()
    const rules = scratch.rules('rules.json', ...RULES)

    const at = ['--at', '2026-03-20T00:00:00Z']
    const fromDatabase = await linli(
      'explain',
      '--rules',
      rules,
      '--db',
      folder,
      '--user',
      'u1',
      '--rule',
      'regular',
      ...at,
    )

    expect(fromDatabase.stdout).toBe((await explain('--user', 'u1', '--rule', 'regular', ...at)).stdout)
  })
})

describe('linli explain that cannot', () => {
  const cases: readonly (readonly [name: string, flags: readonly string[], message: string])[] = [
    ['find the subject', ['--user', 'u9', '--rule', 'regular'], 'user:u9'],
    ['find the subject yet', ['--user', 'u1', '--rule', 'regular', '--at', '2020-01-01T00:00:00Z'], 'user:u1'],
    ['find the rule', ['--user', 'u1', '--rule', 'regulr'], 'There are: regular, thank. (rule.unknown)'],
    ['find the rule for this kind', ['--community', 'c1', '--rule', 'regular'], 'There are: busy. (rule.unknown)'],
    ['know about whom', ['--rule', 'regular'], '--user ID, --community ID or --leader ID'],
    ['read the time', ['--user', 'u1', '--rule', 'regular', '--at', 'later'], 'This is no time: "later"'],
    ['know what to explain', ['--user', 'u1'], '--rule ID, or --decision NUMBER'],
    ['find the decision', ['--decision', '70'], '(decision.unknown)'],
    ['use two sources', ['--user', 'u1', '--rule', 'regular', '--db', 'x'], 'cannot be used with'],
  ]
  for (const [name, flags, message] of cases) {
    it(`${name} says so, without a stack, and ends with 1`, async () => {
      const { code, stdout, stderr } = await explain(...flags)

      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain(message)
      expect(stderr).not.toMatch(/\n\s+at /)
    })
  }
})
