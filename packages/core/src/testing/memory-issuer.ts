import type { Outbound, SendResult } from '../ports/channel.js'
import type { CouponGrant, CouponIssuer, IssueResult } from '../ports/issuer.js'
import { type MemoryChannelOptions, type MemoryOutcome, memoryChannel } from './memory-channel.js'

/** As for a channel in memory: what the provider takes, it issues. */
export type MemoryIssuerOptions = Pick<MemoryChannelOptions, 'name' | 'repeat'> & { readonly outcome?: MemoryOutcome }

/** An issuer that keeps its grants, with a provider that obeys the test. */
export interface MemoryIssuer extends CouponIssuer {
  /** What the provider has issued, in order. An idempotent provider issues once under a `grantKey`, inside its window. */
  readonly issued: readonly CouponGrant[]
  /** Every call of `issue`, in order, whatever became of it. */
  readonly calls: readonly CouponGrant[]
  /** Queues outcomes for the next calls, one each, in order. */
  respond(...outcomes: readonly MemoryOutcome[]): void
}

/**
 * Creates an issuer in memory, for tests of rules and of engines. Its codes are `memory-1`, `memory-2` …
 *
 * @example
 * const pay = memoryIssuer({ name: 'wechat-pay' })
 * pay.respond('lost_after') // the provider issues the next coupon, and the engine does not learn of it
 */
export function memoryIssuer(options: MemoryIssuerOptions = {}): MemoryIssuer {
  const provider = memoryChannel(options)
  const grants = new Map<string, CouponGrant>()
  const calls: CouponGrant[] = []
  const { lookUp } = provider
  return {
    name: provider.name,
    repeat: provider.repeat,
    ...(lookUp && {
      lookUp: async (grantKey, context) => {
        const found = await lookUp(grantKey, context)
        return found.status === 'not_found' ? found : issuedOf(found)
      },
    }),
    get issued() {
      return provider.sent.flatMap(({ deliveryKey }) => grants.get(deliveryKey) ?? [])
    },
    calls,
    respond: provider.respond,
    async issue(grant, context) {
      grants.set(grant.grantKey, grant)
      calls.push(grant)
      return issuedOf(await provider.send(asMessage(grant), context))
    },
    close: async () => provider.close?.(),
  }
}

/** A grant in the shape in which providers in memory take things. */
export function asMessage({ grantKey, issuer, offer, to, source }: CouponGrant): Outbound {
  const content = { template: offer.id, body: offer.name }
  return { deliveryKey: grantKey, channel: issuer, class: 'promotion', to, content, source }
}

function issuedOf(result: SendResult): IssueResult {
  if (result.status === 'deferred') return result
  if (result.status === 'refused') return { ...result, reason: result.reason === 'content' ? 'other' : result.reason }
  return { status: 'accepted', code: result.providerId ?? '' }
}
