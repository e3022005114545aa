import { readPack } from '../src/pack.js'
import { formatProblem, inReadingOrder, type Problem, Problems } from '../src/problems.js'
import { compilePack } from '../src/program/compile.js'

/** Everything that is wrong with the rules of one file, as the check command finds it. */
export function problemsOf(value: unknown): readonly Problem[] {
  const problems = new Problems()
  compilePack(readPack([{ file: 'pack.json', value }], problems), problems)
  return inReadingOrder(problems.list).filter(({ severity }) => severity === 'error')
}

export function textOf(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n')
}

/** Whether a JSON Pointer (RFC 6901) leads to a place of the document. */
export function leadsSomewhere(pointer: string, document: unknown): boolean {
  let value = document
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false
    value = (value as Record<string, unknown>)[key]
  }
  return pointer === '' || pointer.startsWith('/')
}

export const tag = (conditions?: unknown, more: object = {}) => ({
  kind: 'tag',
  id: 'a',
  ...(conditions !== undefined && { conditions }),
  ...more,
})

export const journey = (more: object = {}) => ({
  kind: 'journey',
  id: 'j',
  entry: { on: 'event', event: 'paid' },
  steps: [{ id: 'x', wait: '1d' }],
  ...more,
})

export const steps = (...list: unknown[]) => journey({ steps: list })

export const count = (more: object = {}, params: object = {}) => ({
  fact: 'eventCount',
  operator: 'equal',
  value: 1,
  params: { event: 'paid', ...params },
  ...more,
})

export const template = (body: unknown, more: object = {}) => ({ kind: 'template', id: 't', body, ...more })

/** A value inside `depth` levels of something. */
export function nest(depth: number, inner: unknown, wrap: (inner: unknown) => unknown): unknown {
  let value = inner
  for (let level = 0; level < depth; level++) value = wrap(value)
  return value
}
