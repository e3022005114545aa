import { describe, expect, it } from 'vitest'
import type { CouponGrant, CouponIssuer } from '../ports/issuer.js'
import { issuerContract } from './issuer-contract.js'
import { type MemoryIssuer, memoryIssuer } from './memory-issuer.js'

const DAY = 86_400_000
const grant: CouponGrant = {
  grantKey: 'g-1',
  issuer: 'pay',
  offer: { id: 'trial', name: '水果尝鲜券', value: 5 },
  stock: '9865000',
  to: { kind: 'user', id: 'u-1', traits: { openid: 'o-of-wang' } },
  source: { journey: 'j', run: 'r', step: 's' },
}

const REPEATS = [
  { kind: 'idempotent', windowMs: DAY } as const,
  { kind: 'queryable' } as const,
  { kind: 'none' } as const,
]

describe.each(REPEATS)('an issuer in memory whose repeats are $kind keeps the contract', (repeat) => {
  let issuer: MemoryIssuer
  const checks = issuerContract({
    create: () => {
      issuer = memoryIssuer({ name: 'pay', repeat })
      return issuer
    },
    grant,
    repeat: repeat.kind,
    provider: {
      accepted: () => issuer.issued.map(({ grantKey }) => grantKey),
      failNext: (when) => issuer.respond(when === 'before' ? 'lost_before' : 'lost_after'),
      refuseNext: () => issuer.respond({ status: 'refused', reason: 'other' }),
      deferNext: () => issuer.respond({ status: 'deferred', retryAt: new Date(Date.now() + 1000) }),
      hangNext: () => issuer.respond('hang'),
    },
  })
  it.each(checks)('$title', ({ run }) => run())
})

describe('the contract of issuers', () => {
  const failing = async (issuer: CouponIssuer): Promise<readonly string[]> => {
    const failed: string[] = []
    for (const { title, run } of issuerContract({ create: () => issuer, grant, repeat: 'idempotent' })) {
      await run().catch(() => failed.push(title))
    }
    return failed
  }

  it('notices one that gives every coupon the same code, a new one for a repeat, or none', async () => {
    const repeat = { kind: 'idempotent', windowMs: DAY } as const
    const issuing = (code: () => string): CouponIssuer => ({
      name: 'pay',
      repeat,
      issue: () => Promise.resolve({ status: 'accepted', code: code() }),
    })
    let count = 0
    expect(await failing(issuing(() => 'same'))).toContain('gives each coupon a code of its own')
    expect(await failing(issuing(() => `code-${++count}`))).toContain('gives the same code for a repeat')
    expect(await failing(issuing(() => ''))).toContain('gives each coupon a code of its own')
  })
})
