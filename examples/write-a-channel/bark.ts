import type { Channel, SendResult } from '@linli/core'

export interface BarkOptions {
  /** The channel's name in rules. Default `bark`. */
  readonly name?: string
  /** The bark-server to use. Default: the public one. */
  readonly server?: string
}

/**
 * Pushes to the Bark app on an iPhone. The address is the trait `barkKey`.
 * Wire format: https://github.com/Finb/bark-server, docs/API_V2.md.
 */
export function barkChannel({ name = 'bark', server = 'https://api.day.app' }: BarkOptions = {}): Channel {
  return {
    name,
    // Bark takes no key that would make a repeat harmless, and cannot be asked what it sent.
    repeat: { kind: 'none' },
    async send({ to, content }, { at, signal }) {
      const key = to.traits['barkKey']
      if (typeof key !== 'string') return { status: 'refused', reason: 'recipient', detail: 'bark: no barkKey' }
      const push = { device_key: key, title: content.title, body: content.body, url: content.data?.['url'] }
      try {
        const response = await fetch(new URL('/push', server), {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(push),
          redirect: 'manual',
          signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
        })
        await response.body?.cancel()
        return resultOf(response, at)
      } catch (error) {
        if (neverConnected(error)) return later(at, 'bark: cannot connect')
        throw error instanceof BarkError ? error : new BarkError('bark: no answer', { cause: error })
      }
    },
  }
}

/** The outcome is unknown: the push may be on its way. */
export class BarkError extends Error {
  readonly code = 'bark.outcome_unknown'
}

function resultOf({ status, ok }: Response, at: Date): SendResult {
  if (ok) return { status: 'accepted' }
  const detail = `bark: HTTP ${status}`
  if (status === 429 || status === 503) return later(at, detail)
  // bark-server answers 400 for a device key it does not know.
  if (status < 500) return { status: 'refused', reason: status === 400 ? 'recipient' : 'configuration', detail }
  throw new BarkError(detail)
}

function later(at: Date, detail: string): SendResult {
  return { status: 'deferred', retryAt: new Date(at.getTime() + 60_000), detail }
}

/** Whether fetch failed before it sent anything. */
function neverConnected(error: unknown): boolean {
  const cause = error instanceof TypeError ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT'].includes(String(code))
}
