import { createReadStream, existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { naiveTags, readHouseholds } from '../../testing/grocery.js'
import type { Simulation } from './tally.js'

const here = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const folder = process.env['LINLI_DATA'] ?? here('../../../../../shared/data')
const EVENTS = path.join(folder, 'completejourney', 'events.ndjson.gz')
const RULES = here('../../testing/packs/grocery')
const DAY = 86_400_000
const FIRST_MIDNIGHT = Date.parse('2017-01-01T00:00:00Z')
const LAST_MIDNIGHT = Date.parse('2018-01-01T00:00:00Z')

const isThere = existsSync(EVENTS)
if (!isThere) console.warn(`SKIPPED: a year of real orders. There is no ${EVENTS}; say where it is by LINLI_DATA.`)

type Members = ReadonlyMap<string, ReadonlySet<string>>

/** The members of each tag at every midnight, from the decision lines alone. */
async function* membersAtMidnights(decisions: string): AsyncGenerator<readonly [number, Members]> {
  const members = new Map<string, Set<string>>()
  let midnight = FIRST_MIDNIGHT
  let before = Number.NEGATIVE_INFINITY
  for await (const line of createInterface({ input: createReadStream(decisions) })) {
    const { at, subject, decision, rule } = JSON.parse(line) as Record<'at' | 'subject' | 'decision' | 'rule', string>
    const instant = Date.parse(at)
    if (instant < before) throw new Error(`not in time order: ${line}`)
    before = instant
    for (; midnight < instant && midnight <= LAST_MIDNIGHT; midnight += DAY) yield [midnight, members]
    const own = members.get(rule) ?? new Set()
    members.set(rule, own)
    if (decision === 'tag.added') own.add(subject)
    if (decision === 'tag.removed') own.delete(subject)
  }
  for (; midnight <= LAST_MIDNIGHT; midnight += DAY) yield [midnight, members]
}

describe.skipIf(!isThere)('a year of real orders', () => {
  it('gives every tag the members that a plain recomputation gives it, at every midnight', async () => {
    const scratch = await mkdtemp(path.join(tmpdir(), 'linli-'))
    const decisions = path.join(scratch, 'decisions.ndjson')

    const { code, stdout } = await linli(
      'simulate',
      '--rules',
      RULES,
      '--events',
      EVENTS,
      '--decisions',
      decisions,
      '--json',
    )
    const summary = JSON.parse(stdout) as Simulation
    expect(code).toBe(0)
    expect(summary.events).toEqual({ total: 66_117, accepted: 66_117, duplicates: 0, rejected: 0 })

    const households = await readHouseholds(EVENTS)
    const naive = new Map([...households].map(([id, events]) => [`user:${id}`, naiveTags(events)]))
    const tags = Object.keys(summary.tags)
    const most = new Map(tags.map((tag) => [tag, 0]))
    let midnights = 0
    for await (const [at, members] of membersAtMidnights(decisions)) {
      midnights += 1
      for (const tag of tags) {
        const own = members.get(tag) ?? new Set()
        most.set(tag, Math.max(most.get(tag) ?? 0, own.size))
        for (const [subject, known] of naive) {
          if (known[tag]?.(at) === own.has(subject)) continue
          expect.fail(`${new Date(at).toISOString()} ${subject} ${tag}: ${own.has(subject)}`)
        }
      }
    }

    expect(midnights).toBe(366)
    expect(tags).toHaveLength(14)
    for (const [tag, members] of most) expect(members, `members of ${tag}`).toBeGreaterThan(10)
    await rm(scratch, { recursive: true })
  }, 120_000)
})
