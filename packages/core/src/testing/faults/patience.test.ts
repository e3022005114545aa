import { describe, expect, it } from 'vitest'
import { untilDone } from '../../../testing/faults/patience.js'

const SECOND = 1000
const PATIENCE = { standstillMs: 90 * SECOND }

/** How long it was waited for work of which so much is left after so many seconds, and whether all was done. */
async function waited(leftAfter: (seconds: number) => number) {
  let at = 0
  const clock = {
    now: () => at,
    sleep: async (ms: number) => {
      at += ms
    },
  }
  const isDone = await untilDone(async () => leftAfter(at / SECOND), PATIENCE, clock)
  return { isDone, seconds: at / SECOND }
}

describe('patience', () => {
  it('lasts as long as there is less and less to do', async () => {
    expect(await waited((seconds) => Math.max(0, 500 - Math.floor(seconds)))).toEqual({ isDone: true, seconds: 500 })
  })

  it('has an end where nothing gets less for 90 seconds', async () => {
    expect(await waited(() => 1)).toEqual({ isDone: false, seconds: 90 })
    expect(await waited((seconds) => Math.max(60, 500 - Math.floor(seconds)))).toEqual({ isDone: false, seconds: 530 })
  })

  it('has an end where there is only less because there was more in between', async () => {
    expect(await waited((seconds) => 2 + (Math.floor(seconds) % 2))).toMatchObject({ isDone: false, seconds: 90 })
  })

  it('has an end after ten minutes, whatever gets less', async () => {
    expect(await waited((seconds) => 1000 - Math.floor(seconds))).toEqual({ isDone: false, seconds: 600 })
  })

  it('is not needed where nothing is left', async () => {
    expect(await waited(() => 0)).toEqual({ isDone: true, seconds: 0 })
  })
})
