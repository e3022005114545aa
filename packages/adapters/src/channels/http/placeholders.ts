import { own } from '@linli/rules'

/** A text, cut at its placeholders. */
export type Parts = readonly (string | Placeholder)[]

/** `{{ to.traits.phone }}`: a value of the message. `{{ content.title? }}` may be missing. */
export interface Placeholder {
  readonly path: readonly string[]
  readonly isOptional: boolean
}

/** What placeholders are filled from: a tree of plain objects, whose leaves may be functions that give the value. */
export type Values = Readonly<Record<string, unknown>>

/** A value that a placeholder needs is not there, or cannot stand where the placeholder does. */
export class Unfilled extends Error {
  constructor(
    readonly placeholder: Placeholder,
    readonly why: 'missing' | 'no text',
  ) {
    super(why)
  }
}

const PLACEHOLDER = /\{\{\s*([\p{L}\p{N}_$-]+(?:\.[\p{L}\p{N}_$-]+)*)(\?)?\s*\}\}/gu

/** Undefined where braces stand in the text that are no placeholder. */
export function partsOf(text: string): Parts | undefined {
  const parts: (string | Placeholder)[] = []
  let end = 0
  for (const { 0: whole, 1: name = '', 2: mark, index } of text.matchAll(PLACEHOLDER)) {
    if (index > end) parts.push(text.slice(end, index))
    parts.push({ path: name.split('.'), isOptional: mark !== undefined })
    end = index + whole.length
  }
  if (end < text.length) parts.push(text.slice(end))
  const isWhole = parts.every((part) => typeof part !== 'string' || !/\{\{|\}\}/.test(part))
  return isWhole ? parts : undefined
}

export function placeholdersIn(parts: Parts): readonly Placeholder[] {
  return parts.filter((part) => typeof part !== 'string')
}

/** The text with its placeholders filled. What is optional and missing leaves nothing behind. @throws {Unfilled} */
export function fillText(parts: Parts, values: Values, encode: (text: string) => string = (text) => text): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part
      const value = readValue(part, values)
      if (value === undefined) return ''
      if (typeof value === 'object') throw new Unfilled(part, 'no text')
      return encode(String(value))
    })
    .join('')
}

/**
 * A JSON value with the placeholders of its texts filled. A text that is one placeholder becomes the value itself, and is left
 * out where that is optional and missing. Values are never read as JSON, so nothing can break out of its place.
 *
 * @throws {Unfilled}
 */
export function fillJson(template: unknown, values: Values): unknown {
  if (typeof template === 'string') {
    const parts = partsOf(template) ?? [template]
    const [only] = parts
    if (parts.length === 1 && typeof only === 'object') return readValue(only, values)
    return fillText(parts, values)
  }
  if (Array.isArray(template)) {
    return template.map((one) => fillJson(one, values)).filter((one) => one !== undefined)
  }
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(
    Object.entries(template)
      .map(([key, one]) => [key, fillJson(one, values)] as const)
      .filter(([, one]) => one !== undefined),
  )
}

/** The value that a placeholder names; undefined only where it is optional. */
function readValue(placeholder: Placeholder, values: Values): unknown {
  let value: unknown = values
  for (const key of placeholder.path) value = own(value, key)
  if (typeof value === 'function') value = value()
  const isThere = value !== undefined && value !== null && !(typeof value === 'number' && !Number.isFinite(value))
  if (isThere) return value
  if (placeholder.isOptional) return undefined
  throw new Unfilled(placeholder, 'missing')
}
