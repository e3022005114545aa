import assert from 'node:assert/strict'
import type { Channel, SendResult } from '../ports/channel.js'
import type { CouponGrant, CouponIssuer, IssueResult } from '../ports/issuer.js'
import { type ChannelContractOptions, type ContractCase, channelContract } from './channel-contract.js'
import { closeQuietly, contextOf } from './channel-contract-tools.js'
import { asMessage } from './memory-issuer.js'

export interface IssuerContractOptions extends Pick<ChannelContractOptions, 'repeat' | 'provider' | 'settleMs'> {
  /** Makes the issuer under test. Called once for each check; the check closes what it made. */
  create(): CouponIssuer | Promise<CouponIssuer>
  /** A grant the provider takes. Each check makes copies of it under grant keys of its own. */
  readonly grant: CouponGrant
}

/**
 * The promises of a `CouponIssuer` as checks for any test runner: all that channels promise — one coupon for a key, no outcome made
 * up, no address in an error — and what is an issuer's own.
 *
 * @example
 * describe('my issuer keeps the contract', () => {
 *   for (const { title, run } of issuerContract({ create, grant, repeat: 'idempotent' })) it(title, run)
 * })
 */
export function issuerContract(options: IssuerContractOptions): readonly ContractCase[] {
  const { create, grant, ...rest } = options
  const asSent = channelContract({
    ...rest,
    create: async () => asChannel(await create(), grant),
    message: asMessage(grant),
  })
  const own: readonly (readonly [string, (issuer: CouponIssuer) => Promise<void>, boolean?])[] = [
    ['gives each coupon a code of its own', (issuer) => ownCodes(issuer, grant)],
    ['gives the same code for a repeat', (issuer) => sameCode(issuer, grant), options.repeat === 'idempotent'],
  ]
  const added = own.flatMap(([title, check, applies = true]) => {
    const run = async () => {
      const issuer = await create()
      try {
        await check(issuer)
      } finally {
        await closeQuietly(issuer)
      }
    }
    return applies ? [{ title, run }] : []
  })
  return [...asSent, ...added]
}

/** An issuer in the shape of a channel, with the same promises. */
function asChannel(issuer: CouponIssuer, grant: CouponGrant): Channel {
  const { name, repeat, lookUp } = issuer
  const issue: Channel['send'] = async ({ deliveryKey, to }, context) =>
    sentOf(await issuer.issue({ ...grant, to, grantKey: deliveryKey }, context))
  return {
    get name() {
      return issuer.name
    },
    repeat,
    send: issue,
    ...(lookUp && {
      lookUp: async (key, context) => {
        const found = await issuer.lookUp?.(key, context)
        return found === undefined || found.status === 'not_found' ? { status: 'not_found' as const } : sentOf(found)
      },
    }),
    close: async () => {
      assert.equal(issuer.name, name)
      await issuer.close?.()
    },
  }
}

/** Why an issuer refuses is more than a channel can say; the rest is the same. */
function sentOf(result: IssueResult): SendResult {
  if (result.status === 'refused') return { ...result, reason: 'other' }
  if (result.status !== 'accepted') return result
  const { code, status } = result
  return { status, providerId: code }
}

async function codeOf(issuer: CouponIssuer, grant: CouponGrant, grantKey: string): Promise<string> {
  const result = await issuer.issue({ ...grant, grantKey }, contextOf())
  assert.equal(result.status, 'accepted', 'The grant must be one that the provider takes.')
  const code = 'code' in result ? result.code : ''
  assert.ok(typeof code === 'string' && code !== '', 'An accepted grant must say the code, or the id, of its coupon.')
  return code
}

async function ownCodes(issuer: CouponIssuer, grant: CouponGrant): Promise<void> {
  const [one, other] = [await codeOf(issuer, grant, 'contract-code-1'), await codeOf(issuer, grant, 'contract-code-2')]
  assert.notEqual(one, other, 'Two coupons must not have the same code.')
}

async function sameCode(issuer: CouponIssuer, grant: CouponGrant): Promise<void> {
  const codes = [await codeOf(issuer, grant, 'contract-code'), await codeOf(issuer, grant, 'contract-code')]
  assert.equal(codes[0], codes[1], 'A repeat must give the coupon that was issued before.')
}
