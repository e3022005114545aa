import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { definitionsOf, loadPack } from '@linli/rules'
import { describe, expect, it } from 'vitest'
import { FACT_NAMES } from '../../../rules/testing/facts.js'
import { type PlainEvent, plainTags } from '../../testing/every-fact.js'
import { readHouseholds } from '../../testing/grocery.js'
import { FACTS_OF_COMPARISON } from '../../testing/law/oracle.js'
import type { Decision } from '../domain/decision.js'
import { readEventFile } from './event-file.js'
import { simulate } from './simulate.js'

const here = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const folder = process.env['LINLI_DATA'] ?? here('../../../../../shared/data')
const EVENTS = path.join(folder, 'completejourney', 'events.ndjson.gz')
const RULES = here('../../testing/packs/every-fact')
const DAY = 86_400_000
const FIRST_MIDNIGHT = Date.parse('2017-01-01T00:00:00Z')
const MIDNIGHTS = 366

const isThere = existsSync(EVENTS)
if (!isThere) console.warn(`SKIPPED: every fact on real orders. There is no ${EVENTS}; say where it is by LINLI_DATA.`)

/** Who has which tag at which midnight, worked out plainly: a byte for each household, then midnight, then tag. */
function plainMatrix(households: ReadonlyMap<string, readonly PlainEvent[]>, tags: readonly string[]): Uint8Array {
  const matrix = new Uint8Array(households.size * MIDNIGHTS * tags.length)
  let place = 0
  for (const events of households.values()) {
    const plain = plainTags(events)
    const first = events[0]?.at ?? Number.POSITIVE_INFINITY
    for (let midnight = 0; midnight < MIDNIGHTS; midnight++) {
      const at = FIRST_MIDNIGHT + midnight * DAY
      // Nobody knows of a household before its first event.
      for (const tag of tags) matrix[place++] = at >= first && plain[tag]?.(at) ? 1 : 0
    }
  }
  return matrix
}

/** Members of each tag as decisions come, compared at every midnight that they pass. */
class Members {
  readonly most = new Map<string, number>()
  midnights = 0
  readonly #names: readonly string[]
  readonly #places: ReadonlyMap<string, number>
  readonly #has: Uint8Array

  constructor(
    households: Iterable<string>,
    private readonly tags: readonly string[],
    private readonly right: Uint8Array,
  ) {
    this.#names = [...households].map((id) => `user:${id}`)
    this.#places = new Map(this.#names.map((name, index) => [name, index]))
    this.#has = new Uint8Array(this.#names.length * tags.length)
  }

  take({ at, decision, rule = '', subject }: Decision): void {
    this.passUntil(at)
    const [person, tag] = [this.#places.get(subject) ?? -1, this.tags.indexOf(rule)]
    if (tag !== -1 && decision.startsWith('tag.')) {
      this.#has[person * this.tags.length + tag] = decision === 'tag.added' ? 1 : 0
    }
  }

  /** Compares at each midnight before `at`. */
  passUntil(at: number): void {
    for (; this.midnights < MIDNIGHTS; this.midnights++) {
      const midnight = FIRST_MIDNIGHT + this.midnights * DAY
      if (midnight >= at) return
      this.tags.forEach((tag, index) => {
        this.#compare(tag, index, midnight)
      })
    }
  }

  #compare(tag: string, index: number, midnight: number): void {
    const width = this.tags.length
    let members = 0
    for (let person = 0; person < this.#names.length; person++) {
      const has = this.#has[person * width + index]
      members += has ?? 0
      if (has === this.right[(person * MIDNIGHTS + this.midnights) * width + index]) continue
      expect.fail(`${new Date(midnight).toISOString()} ${this.#names[person]} ${tag}: ${has === 1}`)
    }
    this.most.set(tag, Math.max(this.most.get(tag) ?? 0, members))
  }
}

describe('a pack that uses every fact', () => {
  it('uses every fact that one household by itself can have', async () => {
    const text = JSON.stringify(definitionsOf(await loadPack(RULES)))
    const missing = FACT_NAMES.filter((name) => !text.includes(`"fact":"${name}"`))
    expect(missing.filter((name) => !FACTS_OF_COMPARISON.includes(name))).toEqual([])
  })

  it.skipIf(!isThere)(
    'gives every tag, on a year of real orders, the members that a plain recomputation gives it at every midnight',
    async () => {
      const households = await readHouseholds(EVENTS)
      const rules = await loadPack(RULES)
      const tags = Object.keys(plainTags([]))
      const members = new Members(households.keys(), tags, plainMatrix(households, tags))

      const { events } = await simulate({
        rules,
        events: readEventFile(EVENTS),
        until: FIRST_MIDNIGHT + (MIDNIGHTS - 1) * DAY,
        onDecision: (decision) => members.take(decision),
      })
      members.passUntil(Number.POSITIVE_INFINITY)

      expect(events).toMatchObject({ duplicates: 0, rejected: 0 })
      expect(members.midnights).toBe(MIDNIGHTS)
      expect([...members.most].filter(([, most]) => most <= 10)).toEqual([])
    },
    300_000,
  )
})
