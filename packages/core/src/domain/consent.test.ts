import { type Consent, consentOf, MESSAGE_CLASSES } from '@linli/rules'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stricterConsent } from './consent.js'

const key = fc
  .tuple(fc.constantFrom('*', 'sms', 'wechat'), fc.constantFrom('*', ...MESSAGE_CLASSES))
  .map(([channel, messageClass]) => `${channel}|${messageClass}`)
const said: fc.Arbitrary<Consent> = fc.dictionary(key, fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 6 })), {
  maxKeys: 5,
})

describe('what two people who are one have said about being messaged', () => {
  it('is for every channel and class the stricter of what each of them has said', () => {
    fc.assert(
      fc.property(said, said, (a, b) => {
        const merged = stricterConsent(a, b)
        for (const channel of ['*', 'sms', 'wechat', 'email']) {
          for (const messageClass of ['*', ...MESSAGE_CLASSES]) {
            const words = [consentOf(a, channel, messageClass), consentOf(b, channel, messageClass)]
            const stricter = words.includes(false) ? false : words.includes(true) ? true : undefined
            expect(consentOf(merged, channel, messageClass), `${channel} ${messageClass}`).toBe(stricter)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is a withdrawal of one although the other has granted it later', () => {
    expect(stricterConsent({ '*|*': [false, 1] }, { 'sms|promotion': [true, 5] })).toEqual({
      '*|*': [false, 1],
      'sms|promotion': [false, 5],
    })
  })

  it('is what one has said where the other has said nothing', () => {
    const words: Consent = { 'sms|*': [true, 3], '*|*': [false, 1] }
    expect(stricterConsent(words, {})).toEqual(words)
    expect(stricterConsent({}, words)).toEqual(words)
  })
})
