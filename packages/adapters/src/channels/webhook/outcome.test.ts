import { describe, expect, it } from 'vitest'
import { resultOf } from './outcome.js'

const at = new Date('2026-03-01T10:00:00.000Z')
const context = { attempt: 1, at, signal: new AbortController().signal }
const answered = (status: number, retryAfter?: string) =>
  resultOf({ kind: 'answered', status, ...(retryAfter === undefined ? {} : { retryAfter }) }, context, 'configuration')
const waitMs = (retryAfter: string | undefined, attempt = 1) => {
  const outcome = { kind: 'answered', status: 429, ...(retryAfter === undefined ? {} : { retryAfter }) } as const
  const result = resultOf(outcome, { ...context, attempt }, 'configuration')
  return result.status === 'deferred' ? result.retryAt.getTime() - at.getTime() : Number.NaN
}

describe('the result of an HTTP status', () => {
  it.each([200, 201, 202, 204, 299])('%i is accepted', (status) => {
    expect(answered(status)).toEqual({ status: 'accepted' })
  })

  it.each([408, 425, 429, 503])('%i is deferred: the request was not handled', (status) => {
    expect(answered(status)).toMatchObject({ status: 'deferred' })
  })

  it.each([500, 501, 502, 504, 599, 100, 199])('%i is unknown: the message may have been taken', (status) => {
    const unknown = { name: 'WebhookError', code: 'webhook.outcome_unknown', status }
    expect(() => answered(status)).toThrow(expect.objectContaining(unknown))
  })

  it.each([
    [301, 'configuration'],
    [308, 'configuration'],
    [400, 'content'],
    [401, 'configuration'],
    [403, 'configuration'],
    [404, 'configuration'],
    [405, 'configuration'],
    [409, 'other'],
    [410, 'configuration'],
    [413, 'content'],
    [418, 'other'],
    [422, 'content'],
  ])('%i is refused for %s', (status, reason) => {
    expect(answered(status)).toEqual({ status: 'refused', reason, detail: `webhook.status: HTTP ${status}` })
  })

  it.each([302, 404, 410])("%i of a recipient's own URL is the recipient's", (status) => {
    const result = resultOf({ kind: 'answered', status }, context, 'recipient')
    expect(result).toMatchObject({ status: 'refused', reason: 'recipient' })
  })
})

describe('the result without a status', () => {
  it('is deferred when nothing was sent', () => {
    const result = resultOf({ kind: 'not_sent', code: 'ECONNREFUSED' }, context, 'configuration')
    expect(result).toMatchObject({ status: 'deferred', detail: 'webhook.not_sent: ECONNREFUSED' })
  })

  it('is unknown when the request may have arrived', () => {
    const call = () => resultOf({ kind: 'unknown', code: 'ECONNRESET' }, context, 'configuration')
    expect(call).toThrow(expect.objectContaining({ code: 'webhook.outcome_unknown' }))
  })
})

describe('Retry-After', () => {
  it.each<[string, number]>([
    ['7', 7_000],
    [' 120 ', 120_000],
    ['0', 1_000],
    ['Sun, 01 Mar 2026 10:05:00 GMT', 300_000],
    ['Sun, 01 Mar 2026 09:00:00 GMT', 1_000],
    ['999999999999', 86_400_000],
    [`${'9'.repeat(400)}`, 86_400_000],
    ['Fri, 31 Dec 2100 00:00:00 GMT', 86_400_000],
  ])('%s waits %i ms', (header, ms) => {
    expect(waitMs(header)).toBe(ms)
  })

  it.each([undefined, '', '-5', '1.5', 'soon', '2026-03-01', 'Sun, 99 Mar 2026 10:05:00 GMT'])(
    '%j is not one: delays double from 5 seconds to 1 hour',
    (header) => {
      for (const [attempt, most] of [
        [1, 5_000],
        [2, 10_000],
        [3, 20_000],
        [20, 3_600_000],
        [5_000, 3_600_000],
      ] as const) {
        const ms = waitMs(header, attempt)
        expect(ms).toBeGreaterThanOrEqual(most / 2)
        expect(ms).toBeLessThanOrEqual(most)
      }
    },
  )
})
