import { FORBIDDEN_KEYS, own } from '@linli/rules'
import * as z from 'zod'

/** A JSON Pointer (RFC 6901), such as `/order/items/0`; the empty one is the whole. */
export const pointerSchema = z
  .string()
  .max(500)
  .regex(
    /^(\/([^~/]|~[01])*)*$/u,
    'A JSON Pointer begins with "/", such as "/order/id"; "~" is written "~0" and "/" "~1"',
  )
  .refine((pointer) => !tokensOf(pointer).some((token) => FORBIDDEN_KEYS.has(token)))

/** The value at a pointer, or undefined. Only own members count: what is read comes from outside. */
export function readPointer(root: unknown, pointer: string): unknown {
  let value = root
  for (const token of tokensOf(pointer)) value = Array.isArray(value) ? value[indexOf(token)] : own(value, token)
  return value
}

function tokensOf(pointer: string): string[] {
  return pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function indexOf(token: string): number {
  return /^(0|[1-9]\d{0,8})$/.test(token) ? Number(token) : -1
}
