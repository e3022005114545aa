import { hash } from 'node:crypto'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: unknown }

/** Keys that reach an object's prototype. They are refused in rules and in events, at any depth. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor'])

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own property, never one of the prototype. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as JsonObject)[key]
    : undefined
}

/** JSON with object keys in order, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`)
  return `{${members.join(',')}}`
}

/** The first `length` characters of a SHA-256 in base64url: 6 bits a character. */
export function contentHash(text: string, length = 43): string {
  return hash('sha256', text, 'base64url').slice(0, length)
}

/** A number in [0, 1) that is always the same for the same text. */
export function hashShare(text: string): number {
  return Number.parseInt(hash('sha256', text, 'hex').slice(0, 12), 16) / 2 ** 48
}

/** One JSON Pointer (RFC 6901) below another. */
export function pointerTo(base: string, ...tokens: readonly PropertyKey[]): string {
  return base + tokens.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Calls `visit` for every value of a document, without recursion, so that depth cannot overflow the stack. */
export function walkJson(
  root: unknown,
  visit: (value: unknown, pointer: string, depth: number) => 'deeper' | 'enough',
): void {
  const pending: { value: unknown; pointer: string; depth: number }[] = [{ value: root, pointer: '', depth: 0 }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, pointer, depth } = next
    if (visit(value, pointer, depth) === 'enough' || typeof value !== 'object' || value === null) continue
    for (const key of Object.keys(value)) {
      pending.push({ value: (value as JsonObject)[key], pointer: pointerTo(pointer, key), depth: depth + 1 })
    }
  }
}
