import { describe, expect, it } from 'vitest'
import { mainlandDigits, phoneOf } from './phone.js'

describe('a phone number', () => {
  it.each([
    ['13800000001', '+8613800000001'],
    [13800000001, '+8613800000001'],
    ['+86 138-0000-0001', '+8613800000001'],
    ['8613800000001', '+8613800000001'],
    ['008613800000001', '+8613800000001'],
    ['１３８０００００００１', '+8613800000001'],
    ['+852 5123 4567', '+85251234567'],
    ['0085251234567', '+85251234567'],
    ['+1 (415) 555-0100', '+14155550100'],
  ])('%s is read as %s', (given, phone) => {
    expect(phoneOf(given)).toBe(phone)
  })

  it.each([
    undefined,
    null,
    '',
    'no phone',
    '1380000000',
    '12800000001',
    '51234567',
    '+86 10 6552 9988',
    '+0123456789',
    '13800000001,13800000002',
    '+86138000000011',
    {},
  ])('%s is none', (given) => {
    expect(phoneOf(given)).toBeUndefined()
  })

  it('of the mainland has eleven digits of its own', () => {
    expect(mainlandDigits('+8613800000001')).toBe('13800000001')
    expect(mainlandDigits('+85251234567')).toBeUndefined()
  })
})
