import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { openPglite } from './pglite.js'

describe('PGlite', () => {
  it('lets the rest of the process have its turn between statements', async () => {
    const { db, close } = await openPglite(undefined)
    let isOver = false
    let turns = 0
    const takeTurns = () => {
      turns++
      if (!isOver) setImmediate(takeTurns)
    }
    setImmediate(takeTurns)
    const began = performance.now()
    await db.transaction().execute(async (trx) => {
      for (let index = 0; index < 200; index++) await sql`select count(*) from generate_series(1, 5000)`.execute(trx)
    })
    isOver = true
    const tookMs = performance.now() - began
    expect(turns).toBeGreaterThan(tookMs / 60)
    await close()
  })
})
