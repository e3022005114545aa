import { subjectName } from '../../domain/subject.js'
import type { Channel, LookUpResult, Outbound, RepeatSafety, SendContext, SendResult } from '../../ports/channel.js'
import type { ProviderRequest } from './provider.js'

export interface ProviderChannelOptions {
  readonly name: string
  /** Where the provider is. */
  readonly url: string
  readonly repeat: RepeatSafety
}

/** A channel to the provider of `startProvider`, by real HTTP. */
export function providerChannel({ name, url, repeat }: ProviderChannelOptions): Channel {
  const post = (path: string, body: ProviderRequest, signal: AbortSignal) =>
    fetch(url + path, { method: 'POST', body: JSON.stringify(body), signal, headers: { connection: 'close' } })
  return {
    name,
    repeat,
    send: async (message, { at, signal }) => {
      const response = await post('/send', requestOf(message, at), signal)
      if (response.status === 429 || response.status === 503) {
        return { status: 'deferred', retryAt: new Date(at.getTime() + 1000), detail: `status ${response.status}` }
      }
      const { taken } = (await response.json()) as { readonly taken: boolean }
      if (!taken) throw new Error(`status ${response.status}: whether it was sent is not known`)
      return { status: 'accepted' } satisfies SendResult
    },
    ...(repeat.kind === 'queryable' && {
      lookUp: async (deliveryKey: string, { at, signal }: SendContext): Promise<LookUpResult> => {
        const asked = { key: deliveryKey, channel: name, to: '', class: '', decidedAt: at.getTime() }
        const { taken } = (await (await post('/look-up', asked, signal)).json()) as { readonly taken: boolean }
        return taken ? { status: 'accepted' } : { status: 'not_found' }
      },
    }),
  }
}

function requestOf({ deliveryKey, channel, to, class: messageClass }: Outbound, at: Date): ProviderRequest {
  return { key: deliveryKey, channel, to: subjectName(to), class: messageClass, decidedAt: at.getTime() }
}
