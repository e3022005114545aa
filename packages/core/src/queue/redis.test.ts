import { describe, expect, it } from 'vitest'
import { checkBullmq, whyUnfit } from './redis.js'

const info = (version: string, policy: string) =>
  `# Server\r\nredis_version:${version}\r\nmaxmemory_policy:${policy}\r\n`

describe('a Redis server', () => {
  it('is fit when it is 6.2 or newer and throws nothing away', () => {
    expect(whyUnfit(info('6.2.0', 'noeviction'))).toBeUndefined()
    expect(whyUnfit(info('10.0.1', 'noeviction'))).toBeUndefined()
  })

  it('is refused when it is older', () => {
    expect(whyUnfit(info('6.0.16', 'noeviction'))).toMatchObject({ code: 'redis.version', facts: { found: '6.0.16' } })
  })

  it('is refused when it may throw work away', () => {
    const facts = { found: 'volatile-lru', needed: 'noeviction' }
    expect(whyUnfit(info('7.0.15', 'volatile-lru'))).toMatchObject({ code: 'redis.eviction', facts })
  })
})

describe('BullMQ', () => {
  it('is refused when it is older than 6.7', () => {
    expect(() => checkBullmq('6.6.3')).toThrow(expect.objectContaining({ code: 'redis.bullmq' }))
    expect(() => checkBullmq('6.7.0')).not.toThrow()
    expect(() => checkBullmq('6.10.0')).not.toThrow()
  })
})
