import { describe, expect, it } from 'vitest'
import { shopOf } from '../../testing/shop.js'
import type { EngineError } from '../errors.js'
import type { Channel } from '../ports/channel.js'
import { memoryStore } from '../storage/memory/store.js'
import { delegate } from '../testing/delegate.js'
import { memoryChannel } from '../testing/memory-channel.js'
import { closeChannels } from './closing.js'

const broken = (name: string, close: NonNullable<Channel['close']>): Channel => ({ ...memoryChannel({ name }), close })
const fails = broken('fails', () => Promise.reject(new Error('no')))
const throws = broken('throws', () => {
  throw new Error('no')
})

describe('a channel that cannot be closed', () => {
  it('is reported, and keeps neither the others nor the database open', async () => {
    const store = memoryStore()
    let closed = 0
    const counting = delegate(store, {
      close: () => {
        closed += 1
        return store.close()
      },
    })
    const sms = memoryChannel({ name: 'sms' })
    const errors: unknown[] = []
    const channels = [fails, throws, sms]
    const engine = await shopOf([], { store: counting }).start({ channels, onError: (error) => errors.push(error) })

    await Promise.all([engine.close(), engine.close()])

    expect(sms.closed).toBe(true)
    expect(closed).toBe(1)
    const told = errors.map((error) => error as EngineError)
    expect(told.map(({ code, facts }) => `${code} ${facts['channel']}`).sort()).toEqual([
      'channel.close fails',
      'channel.close throws',
    ])
  })

  it('is not waited for without an end', async () => {
    const errors: unknown[] = []
    await closeChannels([broken('hangs', () => new Promise(() => {}))], (error) => errors.push(error), 5)
    expect(errors).toMatchObject([{ code: 'channel.close', facts: { channel: 'hangs' } }])
  })
})
