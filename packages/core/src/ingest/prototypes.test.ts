import fc from 'fast-check'
import { expect, it } from 'vitest'
import { normalise } from './normalise.js'

/** How many payloads are tried; more with `LINLI_RUNS`. */
const RUNS = Number(process.env['LINLI_RUNS'] ?? 100_000)
const NOW = Date.parse('2026-03-01T12:00:00+08:00')
const DANGEROUS = ['__proto__', 'constructor', 'prototype'] as const
/** Parts that may hold what a caller says, each with what it is said in. */
const PARTS = [
  { part: 'properties', event: { type: 'track', event: 'order', userId: 'u1' } },
  { part: 'traits', event: { type: 'identify', userId: 'u1' } },
  { part: 'traits', event: { type: 'group', userId: 'u1', groupId: 'c1' } },
] as const

/** JSON text with a dangerous key at some depth, beside and below harmless ones. */
const { payload } = fc.letrec<{ payload: string; harmless: string }>((tie) => ({
  harmless: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('1', 'true', '"polluted"', 'null', '{"admin":true}', '["x"]', '{"a":{"b":{}}}'),
    tie('harmless').map((one) => `{"a":${one}}`),
  ),
  payload: fc.oneof(
    { depthSize: 'medium' },
    fc
      .tuple(fc.constantFrom(...DANGEROUS), tie('harmless'), tie('harmless'))
      .map(([key, value, beside]) => `{"before":${beside},"${key}":${value}}`),
    tie('payload').map((one) => `{"a":1,"inner":${one}}`),
    tie('payload').map((one) => `[0,${one}]`),
  ),
}))

function prototypes(): string {
  const all = [Object.prototype, Array.prototype, Function.prototype, String.prototype]
  return all.map((one) => Reflect.ownKeys(one).map(String).join()).join(';')
}

it('no key of an event reaches a prototype, however deep it is', () => {
  const before = prototypes()
  fc.assert(
    fc.property(payload, fc.constantFrom(...PARTS), (json, { part, event }) => {
      const raw = { ...event, messageId: 'm-1', [part]: { said: JSON.parse(json) as unknown } }
      const result = normalise(raw, NOW, new Set())
      expect(result.ok ? 'taken in' : result.rejection.code).toMatch(/^event\.(key|too_deep)$/)
      expect(({} as Readonly<Record<string, unknown>>)['admin']).toBeUndefined()
    }),
    { numRuns: RUNS },
  )
  expect(prototypes()).toBe(before)
})

it('harmless keys are taken in, and so is a dangerous word that is no key', () => {
  const raw = {
    type: 'track',
    event: 'order',
    userId: 'u1',
    messageId: 'm-1',
    properties: { note: '__proto__', protos: 1 },
  }
  expect(normalise(raw, NOW, new Set())).toMatchObject({ ok: true })
})
