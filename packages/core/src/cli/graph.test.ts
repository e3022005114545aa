import { describe, expect, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { eventHas, journey, putTag, send, tag, template, traitIs, wait } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'

const scratch = scratchFolder()

const OFFER = { kind: 'offer', id: 'trial', name: '尝鲜券', total: 1 }
const STEPS = [
  { id: 'coupon', issue: { offer: 'trial' }, else: [{ id: 'sold-out', exit: { reason: '券已领完' } }] },
  send('push'),
  {
    id: 'bought',
    waitFor: { any: [{ id: 'paid', event: 'order', then: [putTag('mark', 'tried')] }], timeout: '48h' },
    else: [{ id: 'which', branch: [{ conditions: traitIs('city', 'Shanghai'), then: [wait('rest', '1d')] }] }],
  },
]
const JOURNEY = journey('trial', STEPS, {
  entry: { on: 'event', event: 'launch', conditions: eventHas('kind', '"fruit"') },
  exit: { on: 'event', event: 'refund' },
  goal: { event: 'order', within: '7d' },
})
const RULES = [OFFER, tag('tried'), template('hello', '您好'), JOURNEY]

describe('linli graph', () => {
  it('draws a journey from its entry to its ends', async () => {
    const { code, stdout } = await linli(
      'graph',
      '--rules',
      scratch.rules('rules.json', ...RULES),
      '--journey',
      'trial',
    )

    expect(code).toBe(0)
    expect(stdout.trimEnd().split('\n')).toEqual([
      'flowchart TD',
      '  entry(["launch: kind of the event = #34;\\#34;fruit\\#34;#34;"])',
      '  s1["coupon: issue trial"]',
      '  s2["sold-out: leave: 券已领完"]',
      '  s3["push: send hello by sms (promotion)"]',
      '  s4["bought: wait for the first of several"]',
      '  s5["mark: + tag tried"]',
      '  s6["which: which holds?"]',
      '  s7["rest: wait 1d"]',
      '  finish(["end"])',
      '  entry --> s1',
      '  s1 --> s3',
      '  s1 -->|"none left"| s2',
      '  s3 --> s4',
      '  s4 -->|"paid"| s5',
      '  s4 -->|"not within 2d"| s6',
      '  s5 --> finish',
      '  s6 -->|"trait city = #34;Shanghai#34;"| s7',
      '  s6 -->|"else"| finish',
      '  s7 --> finish',
      '  exit{{"leave: refund"}}',
      '  goal{{"goal: order within 7d"}}',
    ])
  })

  it('says how many runs came by, from the decisions of a simulation', async () => {
    const rules = scratch.rules('rules.json', ...RULES)
    const event = (name: string, userId: string, hour: string, properties = {}) => ({
      ...{ event: name, userId, properties },
      messageId: `${name}-${userId}-${hour}`,
      timestamp: `2026-03-01T${hour}:00:00Z`,
    })
    const events = scratch.events(
      'events.ndjson',
      event('launch', 'u1', '08', { kind: '"fruit"' }),
      event('launch', 'u2', '09', { kind: '"fruit"' }),
      event('order', 'u1', '10'),
    )
    const decisions = scratch.path('decisions.ndjson')
    await linli('simulate', '--rules', rules, '--events', events, '--decisions', decisions)

    const { stdout } = await linli(
      'graph',
      '--rules',
      rules,
      '--journey',
      'trial',
      '--decisions',
      decisions,
      '--language',
      'zh',
    )

    expect(stdout).toContain('s1["coupon：发券 trial<br/>2"]')
    expect(stdout).toContain('s2["sold-out：离开：券已领完<br/>1"]')
    expect(stdout).toContain('s5["mark：打上标签 tried<br/>1"]')
    expect(stdout).toContain('finish(["结束<br/>1"])')
    expect(stdout).toContain('goal{{"目标：7d 内 order<br/>1"}}')
  })

  it('knows the journeys that there are', async () => {
    const { code, stderr } = await linli(
      'graph',
      '--rules',
      scratch.rules('rules.json', ...RULES),
      '--journey',
      'trail',
    )

    expect(code).toBe(1)
    expect(stderr).toContain('The pack has no journey "trail". It has: trial. (rule.unknown)')
  })
})
