import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVENING_RULES, eveningArb, MORNING_AFTER, type Slot, USERS } from '../../testing/evening.js'
import { EveningRun, playEvening } from '../../testing/evening-run.js'
import { atLeast, journey, putTag, tag, traitIs } from '../../testing/rules.js'
import { group, identify, track, worldOf } from '../../testing/shop.js'
import { programOf } from '../../testing/subject.js'
import { memoryStore } from '../storage/memory/store.js'

const TAGS = programOf(...EVENING_RULES).subjects.user.tags.map(({ id }) => id)

async function disagreements(slots: readonly Slot[]): Promise<readonly string[]> {
  const run = new EveningRun(memoryStore(), slots[0]?.at ?? 0)
  await playEvening(run, slots)
  const engine = await run.start()
  const found: string[] = []
  for (const id of USERS) {
    const subject = await engine.subject('user', id)
    if (subject === undefined) continue
    for (const rule of TAGS) {
      const { holds } = await engine.explain({ subject: ['user', id], rule, at: MORNING_AFTER })
      if (holds !== subject.tags.includes(rule)) found.push(`${id} ${rule}: explained as ${holds}`)
    }
  }
  return found
}

describe('an explanation', () => {
  it('agrees with what the engine has decided, for everybody and every tag', async () => {
    await fc.assert(
      fc.asyncProperty(eveningArb, async (slots) => {
        expect(await disagreements(slots)).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('of an instant in the past shows what was so then', async () => {
    const world = await worldOf([tag('regular', atLeast(2, 'order', { within: '7d' }))])
    await world.ingest(track('order', 'u1'))
    await world.advanceTo('2026-03-03T12:00:00+08:00')
    await world.ingest(track('order', 'u1'))
    await world.advanceTo('2026-03-20T12:00:00+08:00')

    const then = (at: string) => world.engine.explain({ subject: ['user', 'u1'], rule: 'regular', at })

    expect(await then('2026-03-02T12:00:00+08:00')).toMatchObject({ holds: false, conditions: { actual: 1 } })
    expect(await then('2026-03-03T12:00:00+08:00')).toMatchObject({ holds: true, until: '2026-03-08T04:00:00.000Z' })
    expect(await then('2026-03-08T12:00:00+08:00')).toMatchObject({ holds: false, conditions: { actual: 1 } })
    expect((await then('2026-03-05T12:00:00+08:00')).decisions).toHaveLength(1)
    await world.close()
  })

  it('of a tag that journeys put on has no conditions, but what was decided', async () => {
    const world = await worldOf([tag('greeted'), journey('greet', [putTag('mark', 'greeted')])])
    await world.ingest(track('cart', 'u1'))

    const explained = await world.engine.explain({ subject: ['user', 'u1'], rule: 'greeted' })

    expect(explained).toMatchObject({ kind: 'tag', holds: true, decisions: [{ decision: 'tag.added' }] })
    expect(explained).not.toHaveProperty('conditions')
    await world.close()
  })

  it('knows what the community decides, and the leader that is known through it', async () => {
    const world = await worldOf([
      tag('lively', atLeast(2, 'order', { of: 'community' })),
      tag('led', { fact: 'relation', operator: 'equal', value: 'l1', params: { name: 'leader' } }),
      tag('local', traitIs('city', 'Shanghai')),
    ])
    await world.ingest(group('u1', 'c1', { leaderId: 'l1' }), group('u2', 'c1'), identify('u2', { city: 'Shanghai' }))
    await world.ingest(track('order', 'u1'), track('order', 'u1'))

    for (const rule of ['lively', 'led', 'local']) {
      expect(await world.engine.explain({ subject: ['user', 'u2'], rule }), rule).toMatchObject({ holds: true })
    }
    await world.close()
  })

  it('is refused for somebody unknown and for a rule that there is not', async () => {
    const world = await worldOf([tag('local', traitIs('city', 'Shanghai'))])
    await world.ingest(identify('u1', {}))

    await expect(world.engine.explain({ subject: ['user', 'u9'], rule: 'local' })).rejects.toMatchObject({
      code: 'subject.unknown',
    })
    await expect(world.engine.explain({ subject: ['user', 'u1'], rule: 'lokal' })).rejects.toMatchObject({
      code: 'rule.unknown',
      facts: { known: ['local'] },
    })
    await expect(world.engine.explain({ subject: ['user', 'u1'], rule: 'local', at: 'never' })).rejects.toThrow(
      RangeError,
    )
    await world.close()
  })
})
