import { subjectName } from '../../domain/subject.js'
import type { Channel, LookUpResult, Outbound, RepeatSafety, SendContext, SendResult } from '../../ports/channel.js'
import type { CouponIssuer, IssueResult } from '../../ports/issuer.js'
import type { ProviderRequest } from './provider.js'

export interface ProviderChannelOptions {
  readonly name: string
  /** Where the provider is. */
  readonly url: string
  readonly repeat: RepeatSafety
}

/** A channel to the provider of `startProvider`, by real HTTP. */
export function providerChannel({ name, url, repeat }: ProviderChannelOptions): Channel {
  return {
    name,
    repeat,
    send: (message, context) => ask(url, requestOf(message, context.at), context),
    ...(repeat.kind === 'queryable' && {
      lookUp: async (deliveryKey: string, { at, signal }: SendContext): Promise<LookUpResult> => {
        const asked = { key: deliveryKey, channel: name, to: '', class: '', decidedAt: at.getTime() }
        const { taken } = (await (await post(`${url}/look-up`, asked, signal)).json()) as { readonly taken: boolean }
        return taken ? { status: 'accepted' } : { status: 'not_found' }
      },
    }),
  }
}

/** An issuer of coupons at the same provider: their grant keys are in its log, with the issuer as the channel. */
export function providerIssuer({
  name,
  url,
  repeat,
}: Omit<ProviderChannelOptions, 'repeat'> & {
  readonly repeat: Exclude<RepeatSafety, { readonly kind: 'queryable' }>
}): CouponIssuer {
  return {
    name,
    repeat,
    issue: async ({ grantKey, to }, context): Promise<IssueResult> => {
      const asked = {
        key: grantKey,
        channel: name,
        to: subjectName(to),
        class: 'coupon',
        decidedAt: context.at.getTime(),
      }
      const result = await ask(url, asked, context)
      return result.status === 'accepted' ? { status: 'accepted', code: `${name}-${grantKey}` } : result
    },
  }
}

type Asked = Extract<SendResult, { readonly status: 'accepted' | 'deferred' }>

async function ask(url: string, asked: ProviderRequest, { at, signal }: SendContext): Promise<Asked> {
  const response = await post(`${url}/send`, asked, signal)
  if (response.status === 429 || response.status === 503) {
    return { status: 'deferred', retryAt: new Date(at.getTime() + 1000), detail: `status ${response.status}` }
  }
  const { taken } = (await response.json()) as { readonly taken: boolean }
  if (!taken) throw new Error(`status ${response.status}: whether it was sent is not known`)
  return { status: 'accepted' }
}

function post(url: string, body: ProviderRequest, signal: AbortSignal): Promise<Response> {
  return fetch(url, { method: 'POST', body: JSON.stringify(body), signal, headers: { connection: 'close' } })
}

function requestOf({ deliveryKey, channel, to, class: messageClass }: Outbound, at: Date): ProviderRequest {
  return { key: deliveryKey, channel, to: subjectName(to), class: messageClass, decidedAt: at.getTime() }
}
