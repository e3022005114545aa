import { readFileSync } from 'node:fs'
import { definePack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { REPORTED_EVENTS, REPORTED_RULES } from '../../testing/reported.js'
import { atLeast, journey, score, send, tag, template, wait } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'
import { createEngine } from '../engine.js'
import { virtualClock } from '../queue/clocks.js'
import type { Simulation } from '../simulation/tally.js'
import { memoryChannel } from '../testing/memory-channel.js'

const scratch = scratchFolder()
const RULES = [
  tag('regular', atLeast(2, 'order', { within: '30d' })),
  template('hello', 'Hello'),
  { kind: 'offer', id: 'trial', total: 1 },
  journey(
    'thank',
    [wait('later', '1h'), { id: 'coupon', issue: { offer: 'trial' } }, send('push', { class: 'service' })],
    {
      entry: { on: 'event', event: 'order' },
    },
  ),
]
const order = (userId: string, messageId: string, timestamp: string) => ({
  event: 'order',
  userId,
  messageId,
  timestamp,
})
const EVENTS = [
  order('u1', 'm1', '2026-03-01T08:00:00Z'),
  order('u2', 'm2', '2026-03-02T08:00:00Z'),
  order('u1', 'm3', '2026-03-03T08:00:00Z'),
]

/** Simulates with --json and --decisions; gives the summary and the decision lines. */
async function simulate(events: string, ...flags: readonly string[]) {
  const decisions = scratch.path('decisions.ndjson')
  const rules = scratch.rules('rules.json', ...RULES)
  const result = await linli(
    'simulate',
    '--rules',
    rules,
    '--events',
    events,
    '--decisions',
    decisions,
    '--json',
    ...flags,
  )
  const lines = readFileSync(decisions, 'utf8').split('\n')
  expect(lines.pop()).toBe('')
  return { ...result, summary: JSON.parse(result.stdout) as Simulation, lines }
}

describe('linli simulate', () => {
  it('with --json prints exactly one JSON document', async () => {
    const { code, summary, stderr } = await simulate(scratch.events('events.ndjson', ...EVENTS))

    expect(code).toBe(0)
    expect(summary).toEqual({
      events: { total: 3, accepted: 3, duplicates: 0, rejected: 0 },
      from: '2026-03-01T08:00:00.000Z',
      until: '2026-03-03T08:00:00.000Z',
      decisions: expect.objectContaining({ 'tag.added': 1, 'journey.entered': 3, 'coupon.issued': 1 }),
      tags: { regular: { added: 1, removed: 0, members: 1 } },
      scores: {},
      journeys: { thank: { entered: 3, exited: 2, held: 0, goals: 0 } },
      messages: { planned: 2, accepted: 2, deferred: 0, suppressed: {} },
      coupons: { trial: 1 },
      report: expect.objectContaining({ coupons: { trial: { issued: 1, returned: 0, money: null } } }),
    })
    expect(stderr).toMatch(/^3 events in [\d.]+ s \(\d+ a second\)\n$/)
  })

  it('counts how often scores changed, and who is in which tier in the end', async () => {
    const rules = scratch.rules(
      'scores.json',
      score('loyalty', [{ points: 60, event: 'order', halfLife: '1d' }], {
        tiers: [
          { id: 'silver', from: 50 },
          { id: 'gold', from: 90 },
        ],
      }),
    )
    const events = scratch.events('events.ndjson', ...EVENTS)

    const { stdout } = await linli('simulate', '--rules', rules, '--events', events, '--json')

    expect(JSON.parse(stdout)).toMatchObject({
      decisions: { 'score.changed': 6 },
      // u1: 60, 30, 15 and 60 more; u2: 60, 30.
      scores: { loyalty: { changed: 6, tiers: { silver: 1, gold: 0 } } },
    })
    const { stdout: text } = await linli('simulate', '--rules', rules, '--events', events)
    expect(text).toMatch(/^Scores +changed\nloyalty +6$/m)
    expect(text).toMatch(/^loyalty: silver +1$/m)
  })

  it('writes decision lines in time order, each with when, whom, what and by which rule', async () => {
    const { lines } = await simulate(scratch.events('events.ndjson', ...EVENTS), '--until', '2026-04-30T00:00:00Z')

    const times = lines.map((line) => (JSON.parse(line) as { at: string }).at)
    expect(times).toEqual(times.toSorted())
    for (const line of lines) {
      expect(line).toMatch(
        /^\{"at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","subject":"user:u\d","decision":"[a-z.]+","rule":"/,
      )
    }
    expect(lines).toContain(
      '{"at":"2026-03-03T08:00:00.000Z","subject":"user:u1","decision":"tag.added","rule":"regular","messageId":"m3"}',
    )
    expect(lines).toContain(
      '{"at":"2026-03-31T08:00:00.000Z","subject":"user:u1","decision":"tag.removed","rule":"regular"}',
    )
  })

  it('prints a summary for people without --json', async () => {
    const rules = scratch.rules('rules.json', ...RULES)
    const events = scratch.events('events.ndjson', ...EVENTS)

    const { code, stdout } = await linli('simulate', '--rules', rules, '--events', events)

    expect(code).toBe(0)
    expect(stdout).toMatch(/^Events {2}3 accepted, 0 duplicate, 0 rejected/)
    expect(stdout).toMatch(/^regular +1 +1 +0$/m)
  })

  it('says what became of journeys, messages, coupons and communities', async () => {
    const rules = scratch.rules('rules.json', ...REPORTED_RULES)
    const events = scratch.events('events.ndjson', ...REPORTED_EVENTS)

    const { stdout } = await linli('simulate', '--rules', rules, '--events', events, '--until', '2026-03-05T00:00:00Z')

    expect(stdout).toMatch(/^suppressed: cap \(few\) +1$/m)
    expect(stdout).toMatch(/^Sent in 2 days, and on the busiest +service +promotion\nall +1 +4$/m)
    expect(stdout).toMatch(/^c-1 +3 +2 +66\.7%$/m)
    expect(stdout).toMatch(/^trial +2 +0 +10$/m)
    expect(stdout).toMatch(
      /^Funnel of remind +runs +of all\nentered, by 3 different +3 +100\.0%\n {2}coupon +3 +100\.0%$/m,
    )
    expect(stdout).toMatch(/^left: 券已领完 +1 +33\.3%$/m)
  })

  it('lets messages be refused as --outcomes says', async () => {
    const outcomes = scratch.write('outcomes.json', '{"seed":1,"channels":{"sms":{"refused":1}}}')

    const { summary } = await simulate(scratch.events('events.ndjson', ...EVENTS), '--outcomes', outcomes)

    expect(summary.messages).toMatchObject({ planned: 2, accepted: 0 })
    expect(summary.decisions).toMatchObject({ 'message.rejected': 2 })
  })

  it('reads gzipped files, whatever they are called', async () => {
    const plain = await simulate(scratch.events('events.ndjson', ...EVENTS))
    const gzipped = await simulate(scratch.events('events.ndjson.gz', ...EVENTS))

    expect(gzipped.summary).toEqual(plain.summary)
    expect(gzipped.lines).toEqual(plain.lines)
  })

  it('--until stops before later events, and lets time pass until then', async () => {
    const events = scratch.events('events.ndjson', ...EVENTS)

    const early = await simulate(events, '--until', '2026-03-02T12:00:00Z')
    expect(early.summary).toMatchObject({ events: { total: 2 }, until: '2026-03-02T12:00:00.000Z' })

    const late = await simulate(events, '--until', '2026-04-30T00:00:00Z')
    expect(late.summary).toMatchObject({
      events: { total: 3 },
      until: '2026-04-30T00:00:00.000Z',
      tags: { regular: { added: 1, removed: 1, members: 0 } },
    })
  })

  it('counts a line that is no event as rejected, and goes on', async () => {
    const events = scratch.events(
      'events.ndjson',
      'this is no JSON',
      '',
      EVENTS[0],
      '[1, 2]',
      '{"event":"order","userId":"u1"',
      { ...EVENTS[1], timestamp: 'yesterday' },
      '{"event":"order","userId":"u1","messageId":"big","properties":{"amount":1e400}}',
      EVENTS[0],
      ...EVENTS.slice(1),
    )

    const { code, summary, lines } = await simulate(events)

    expect(code).toBe(0)
    expect(summary).toMatchObject({
      events: { total: 9, accepted: 3, duplicates: 1, rejected: 5 },
      from: '2026-03-01T08:00:00.000Z',
      tags: { regular: { members: 1 } },
    })
    const rejected = lines
      .map((line) => JSON.parse(line) as Record<string, string>)
      .filter(({ decision }) => decision === 'event.rejected')
    expect(rejected.map(({ reason }) => reason)).toEqual([
      'event.shape',
      'event.shape',
      'event.shape',
      'event.time',
      'event.number',
    ])
    expect(rejected[0]?.['at']).toBe('2026-03-01T08:00:00.000Z')
  })

  it('does not follow one mistaken time into the year 3000', async () => {
    const mistake = order('u1', 'bad', '3000-01-01T00:00:00Z')
    const [first, ...others] = EVENTS

    for (const lines of [
      [mistake, first, ...others],
      [first, mistake, ...others],
      [first, ...others, mistake],
    ]) {
      const { summary } = await simulate(scratch.events('events.ndjson', ...lines))
      const until = await simulate(scratch.events('events.ndjson', ...lines), '--until', '2026-03-10T00:00:00Z')

      expect(summary).toMatchObject({
        events: { total: 4, accepted: 3, rejected: 1 },
        from: '2026-03-01T08:00:00.000Z',
        until: '2026-03-03T08:00:00.000Z',
        tags: { regular: { members: 1 } },
      })
      expect(until.summary).toMatchObject({ events: { accepted: 3 }, tags: { regular: { members: 1 } } })
    }
  })

  it('places an event that comes late where it belongs', async () => {
    const events = scratch.events('events.ndjson', EVENTS[0], EVENTS[2], order('u3', 'm4', '2026-03-01T12:00:00Z'))

    const { summary, lines } = await simulate(events, '--until', '2026-04-30T00:00:00Z')

    expect(summary.events.accepted).toBe(3)
    const times = lines.map((line) => (JSON.parse(line) as { at: string }).at)
    expect(times).toEqual(times.toSorted())
  })

  it('of an empty file comes to nothing', async () => {
    const { code, summary, lines } = await simulate(scratch.events('events.ndjson'))

    expect(code).toBe(0)
    expect(summary).toMatchObject({ events: { total: 0 }, from: null, until: null })
    expect(lines).toEqual([])
  })
})

describe('linli simulate --db', () => {
  it('comes to the same as over the events that its engine was sent, and writes nothing there', async () => {
    const folder = scratch.path('database')
    const clock = virtualClock('2026-03-05T09:00:00Z')
    const engine = await createEngine({ rules: definePack(RULES), database: folder, clock, channels: [provider()] })
    await engine.ingest(EVENTS)
    await engine.settle()
    const before = await engine.decisions()
    await engine.close()
    const rules = scratch.rules('rules.json', ...REPORTED_RULES, ...RULES.slice(0, 1))

    const fromDatabase = await linli('simulate', '--rules', rules, '--db', folder, '--json')
    const fromFile = await linli(
      'simulate',
      '--rules',
      rules,
      '--events',
      scratch.events('e.ndjson', ...EVENTS),
      '--json',
    )

    expect(fromDatabase.code).toBe(0)
    expect(fromDatabase.stdout).toBe(fromFile.stdout)
    const diff = await linli('diff', '--old', rules, '--new', rules, '--db', folder, '--json')
    expect(JSON.parse(diff.stdout)).toMatchObject({ old: JSON.parse(fromFile.stdout), subjects: [] })
    const again = await createEngine({ rules: 'published', database: folder, clock, channels: [provider()] })
    expect(await again.decisions()).toEqual(before)
    expect(await again.publication()).toMatchObject({ version: 1 })
    await again.close()
  })
})

const provider = () => memoryChannel({ name: 'sms' })

describe('linli simulate that cannot', () => {
  async function failure(events: string, ...flags: readonly string[]): Promise<string> {
    const rules = scratch.rules('rules.json', ...RULES)
    const { code, stdout, stderr } = await linli('simulate', '--rules', rules, '--events', events, '--json', ...flags)
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).not.toMatch(/\n\s+at /)
    return stderr
  }

  it('read the events says which file', async () => {
    const cut = scratch.write('cut.gz', Buffer.from('1f8b0800000000000003aabbcc', 'hex'))

    expect(await failure(scratch.path('nothing.ndjson'))).toContain('nothing.ndjson')
    expect(await failure(cut)).toContain('cut.gz')
  })

  it('know where the events are says so', async () => {
    const rules = scratch.rules('rules.json', ...RULES)
    const events = scratch.events('events.ndjson', ...EVENTS)
    const simulated = (...flags: readonly string[]) => linli('simulate', '--rules', rules, ...flags)

    expect((await simulated()).stderr).toContain('Say where the events are: --events FILE or --db URL.')
    expect((await simulated('--events', events, '--db', 'x')).stderr).toContain('cannot be used with')
    expect((await simulated('--db', scratch.path('nowhere'))).stderr).toContain('(database.missing)')
  })

  it('read what becomes of messages says what is wrong', async () => {
    const events = scratch.events('events.ndjson', ...EVENTS)
    const outcomes = (text: string) => failure(events, '--outcomes', scratch.write('outcomes.json', text))

    expect(await outcomes('{')).toMatch(/outcomes\.json is not JSON/)
    expect(await outcomes('{"seed":1,"channels":{"sms":{"refuse":1}}}')).toContain('Did you mean "refused"?')
  })

  it('write the decisions says which file', async () => {
    const events = scratch.events('events.ndjson', ...EVENTS)

    expect(await failure(events, '--decisions', scratch.path('no/such/folder.ndjson'))).toContain('folder.ndjson')
  })

  it('read the time says so', async () => {
    const events = scratch.events('events.ndjson', ...EVENTS)

    expect(await failure(events, '--until', 'tomorrow')).toContain('This is no time: "tomorrow"')
  })

  it('read the rules names what is wrong with them', async () => {
    const events = scratch.events('events.ndjson', ...EVENTS)
    const rules = scratch.rules('bad.json', tag('odd', { fact: 'nothing', operator: 'equal', value: 1 }))

    const { code, stderr } = await linli('simulate', '--rules', rules, '--events', events)

    expect(code).toBe(1)
    expect(stderr).toContain('fact.unknown')
    expect(stderr).toContain('1 problem; nothing was loaded.')
  })
})
