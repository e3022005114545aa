import { definePack } from '@linli/rules'
import { describe, expect, inject, it } from 'vitest'
import { createEngine } from '../engine.js'
import { openStore } from '../storage/open.js'

const postgresUrl = inject('postgresUrl')
const paid = (userId: string, number: number) => ({ event: 'order_paid', userId, messageId: `${userId}-${number}` })

/** People who come in beside the one who is held. */
const FREE = Array.from({ length: 20 }, (_, index) => `free-${index}`)

describe.skipIf(postgresUrl === undefined)('events of somebody whom another process holds', () => {
  it('wait for it without holding up the others, and then come in', async () => {
    const schema = `held_${Date.now()}`
    const store = await openStore(postgresUrl ?? '', { schema })
    const engine = await createEngine({
      rules: definePack([{ kind: 'tag', id: 'vip' }]),
      database: postgresUrl ?? '',
      schema,
    })
    await engine.ingest([paid('held', 1), ...FREE.map((userId) => paid(userId, 1))])

    let waited: Promise<unknown> | undefined
    await store.transaction(async (tx) => {
      await tx.lockSubjects([{ kind: 'user', id: 'held' }])
      waited = engine.ingest([paid('held', 2)])
      expect(await engine.ingest(FREE.map((userId) => paid(userId, 2)))).toMatchObject({ accepted: FREE.length })
    })

    expect(await waited).toMatchObject({ accepted: 1 })
    expect((await store.readEvents({ userIds: ['held'] })).map(({ messageId }) => messageId)).toEqual([
      'held-1',
      'held-2',
    ])
    await engine.close()
    await store.close()
  })
})
