import { describe, expect, it } from 'vitest'
import { journey, send, template } from '../../../testing/rules.js'
import { shopOf, track } from '../../../testing/shop.js'
import { memoryStore } from '../../storage/memory/store.js'
import { memoryChannel } from '../memory-channel.js'
import { channelWithFailpoints, type Failpoint, withFailpoints } from './failpoints.js'

const RULES = [template('hello'), journey('remind', [send('push')])]

describe('failpoints', () => {
  it('stand before and after each step of a transaction, its commit, and each call of a channel', async () => {
    const points: Failpoint[] = []
    const reach = (point: Failpoint) => void points.push(point)
    const shop = shopOf(RULES, { store: withFailpoints(memoryStore(), reach) })
    const sms = channelWithFailpoints(memoryChannel({ name: 'sms' }), reach)
    const engine = await shop.start({ channels: [sms] })
    points.length = 0

    await engine.ingest([track('cart', 'u1')])
    const ofIngest = points.splice(0)
    await engine.settle()

    expect(ofIngest[0]).toBe('transaction:before')
    expect(ofIngest).toContain('addEvents:before')
    expect(ofIngest.indexOf('addEvents:after')).toBeLessThan(ofIngest.indexOf('saveSubjects:before'))
    expect(ofIngest.slice(-2)).toEqual(['commit:before', 'commit:after'])
    const call = points.indexOf('send:before')
    expect(points.slice(call - 1, call + 2)).toEqual(['commit:after', 'send:before', 'send:after'])
    await engine.close()
  })

  it('that throw undo the transaction', async () => {
    const store = memoryStore()
    let fails = false
    const shop = shopOf(RULES, {
      store: withFailpoints(store, (point) => {
        if (fails && point === 'commit:before') throw new Error('the power fails')
      }),
    })
    const engine = await shop.start({ channels: [memoryChannel({ name: 'sms' })] })
    fails = true

    await expect(engine.ingest([track('cart', 'u1')])).rejects.toThrow('the power fails')

    expect([...store.subjects()]).toEqual([])
  })
})
