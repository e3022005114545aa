import { textOf } from '../http/verdicts.js'

const MAINLAND = /^1[3-9]\d{9}$/
const E164 = /^\+[1-9]\d{6,14}$/

/**
 * A phone number in E.164, such as `+8613800000001`; undefined where it is none. Eleven digits that begin as mobile numbers of
 * the mainland do are one of those; every other number needs its country. Spaces, hyphens, brackets and full-width digits do no harm.
 */
export function phoneOf(value: unknown): string | undefined {
  const digits = (textOf(value) ?? '').normalize('NFKC').replace(/[\s().-]/g, '')
  if (MAINLAND.test(digits)) return `+86${digits}`
  if (digits.startsWith('86') && MAINLAND.test(digits.slice(2))) return `+${digits}`
  const number = digits.startsWith('00') ? `+${digits.slice(2)}` : digits
  if (!E164.test(number)) return undefined
  return number.startsWith('+86') && !MAINLAND.test(number.slice(3)) ? undefined : number
}

/** The eleven digits of a number of the mainland; undefined of any other. Takes E.164. */
export function mainlandDigits(phone: string): string | undefined {
  return phone.startsWith('+86') ? phone.slice(3) : undefined
}
