import { describe, expect, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { atLeast, journey, send, tag, template } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'

const scratch = scratchFolder()
const OLD = [template('hello', '您好'), tag('regular', atLeast(1, 'cart')), journey('remind', [send('push')])]
const NEW = [...OLD, { kind: 'policy', id: 'cap', cap: { max: 1, within: '30d' } }]
const EVENTS = [1, 2, 3].map((day) => ({
  event: 'cart',
  userId: 'u1',
  messageId: `m${day}`,
  timestamp: `2026-03-0${day}T08:00:00Z`,
}))

function diff(...flags: readonly string[]) {
  const [before, after] = [scratch.rules('old.json', ...OLD), scratch.rules('new.json', ...NEW)]
  const events = scratch.events('events.ndjson', ...EVENTS)
  return linli('diff', '--old', before, '--new', after, '--events', events, ...flags)
}

describe('linli diff', () => {
  it('says what would have been otherwise, and for whom', async () => {
    const { code, stdout, stderr } = await diff()

    expect(code).toBe(0)
    expect(stderr).toMatch(/^3 events, twice, in /)
    expect(stdout.trimEnd().split('\n')).toEqual([
      'Events  3 accepted  (2026-03-01T08:00:00.000Z … 2026-03-03T08:00:00.000Z)',
      '',
      'Messages              old       new',
      'accepted                3         1',
      'suppressed: cap         0         2',
      '',
      '1 would have got something else',
      '  user:u1',
      '    - message remind/hello: 3 → 1, first 2026-03-01T08:00:00.000Z (now: message.suppressed by cap: cap)',
    ])
  })

  it('says what would have been used of budgets', async () => {
    const budget = (money: number) => ({ kind: 'policy', id: 'purse', budget: { money, costs: { sms: 0.05 } } })
    const before = scratch.rules('before.json', ...OLD, budget(0.1))
    const after = scratch.rules('after.json', ...OLD, budget(1))
    const events = scratch.events('events.ndjson', ...EVENTS)
    const { stdout } = await linli('diff', '--old', before, '--new', after, '--events', events)

    expect(stdout).toMatch(/^Budgets used +old +new\npurse +0\.1 +0\.15$/m)
  })

  it('prints one JSON document', async () => {
    const { stdout } = await diff('--json', '--until', '2026-03-02T12:00:00Z')

    expect(JSON.parse(stdout)).toMatchObject({
      tags: {},
      money: { old: 0, new: 0 },
      subjects: [{ subject: 'user:u1', gained: [], lost: [{ old: 2, new: 1 }] }],
    })
  })
})
