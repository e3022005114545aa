import { describe, expect, it } from 'vitest'
import { readAnswer } from './answer.js'

describe('an answer of a channel', () => {
  it('is taken as it is when it is a result', () => {
    const retryAt = new Date('2026-03-01T00:00:00Z')

    expect(readAnswer({ status: 'accepted' })).toEqual({ status: 'accepted' })
    expect(readAnswer({ status: 'accepted', providerId: 'p1' })).toEqual({ status: 'accepted', providerId: 'p1' })
    expect(readAnswer({ status: 'deferred', retryAt, detail: 'busy' })).toEqual({
      status: 'deferred',
      retryAt,
      detail: 'busy',
    })
    expect(readAnswer({ status: 'refused', reason: 'recipient' })).toEqual({ status: 'refused', reason: 'recipient' })
  })

  it('says nothing about what the provider did when it is no result', () => {
    const odd = [undefined, null, 'ok', 200, [], {}, { status: 'sent' }, { status: 'deferred' }]
    for (const answer of [...odd, { status: 'deferred', retryAt: new Date('never') }]) {
      expect(readAnswer(answer).status).toBe('unknown')
    }
  })

  it('with a reason that is none is refused for another reason', () => {
    expect(readAnswer({ status: 'refused', reason: 'because' })).toEqual({ status: 'refused', reason: 'other' })
  })

  it('has texts that every database can keep', () => {
    expect(readAnswer({ status: 'accepted', providerId: 42 })).toEqual({ status: 'accepted', providerId: '42' })
    expect(readAnswer({ status: 'accepted', providerId: {} })).toEqual({ status: 'accepted' })
    expect(readAnswer({ status: 'refused', reason: 'other', detail: 'a\0b\ud800' })).toMatchObject({
      detail: 'ab\ufffd',
    })
    const long = readAnswer({ status: 'refused', reason: 'other', detail: 'x'.repeat(100_000) })
    expect(JSON.stringify(long).length).toBeLessThan(1000)
  })
})
