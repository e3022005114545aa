import type { CopyRequest } from '../ports/copywriter.js'

/** Why a text that was written is not used. */
export type CopyFault = 'empty' | 'too long' | 'unreadable' | 'forbidden word' | 'link' | 'number'

const UNREADABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/u
/** No emoji has more code units. What is far too long is not even counted. */
const LONGEST_CHARACTER = 64
const EMOJI_JOINERS = /[\u200d\ufe0f]/gu
const LINK =
  /(?:https?:\/\/|weixin:\/\/|www\.)[^\s，。！？；、）】》"']*|[\w-]+\.(?:com|cn|net|org|top|cc|io|vip|shop)\b[^\s，。！？；、）】》"']*/giu
const NUMBER = /\d+(?:\.\d+)?/gu

/**
 * What is wrong with a text; undefined where it may be sent. A link or a number that its instructions do not have was made up: a
 * price, a time, a code, a telephone number.
 */
export function copyFault(text: string, { instructions, maxLength, forbid }: CopyRequest): CopyFault | undefined {
  if (text === '') return 'empty'
  if (text.length > maxLength * LONGEST_CHARACTER || lengthOf(text) > maxLength) return 'too long'
  if (UNREADABLE.test(text.replace(EMOJI_JOINERS, ''))) return 'unreadable'
  const [plain, told] = [plainly(text), plainly(instructions)]
  if (forbid.some((word) => plain.includes(plainly(word)))) return 'forbidden word'
  if (allOf(LINK, plain).some((link) => !told.includes(link))) return 'link'
  const numbers = new Set(allOf(NUMBER, told))
  if (allOf(NUMBER, plain).some((number) => !numbers.has(number))) return 'number'
  return undefined
}

/** How a text that was written is taken: without what models like to put around it. */
export function trimmedCopy(text: string): string {
  const trimmed = text.trim()
  const [, quoted] = /^["“「『](.*)["”」』]$/su.exec(trimmed) ?? []
  return quoted !== undefined && !/["“”「」『』]/u.test(quoted) ? quoted.trim() : trimmed
}

/** Characters as people count them: an emoji is one. */
function lengthOf(text: string): number {
  return [...new Intl.Segmenter('zh', { granularity: 'grapheme' }).segment(text)].length
}

/** Upper and lower case, and full and half width, are the same. */
function plainly(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

function allOf(pattern: RegExp, text: string): readonly string[] {
  return Array.from(text.matchAll(pattern), ([found]) => found)
}
