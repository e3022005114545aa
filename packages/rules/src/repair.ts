import { isObject } from './json.js'

/** What stands for a piece that is wrong, so that the rest of its rule can be checked too. */
const ANY_CONDITIONS = { all: [] }
const ANY_ENTRY = { on: 'event', event: 'any' }

const CONDITION_KEYS: ReadonlySet<PropertyKey> = new Set(['conditions', 'where', 'item', 'not'])
const CONDITION_LISTS: ReadonlySet<PropertyKey> = new Set(['all', 'any'])
const STEP_LISTS: ReadonlySet<PropertyKey> = new Set(['steps', 'then', 'else'])

/**
 * A copy of a rule in which the wrong pieces are replaced: a step by a step, conditions by conditions, so that all else
 * keeps its place. It may still be wrong; it is never run, only checked.
 */
export function repair(rule: unknown, wrong: readonly (readonly PropertyKey[])[]): unknown {
  const copy = clone(rule)
  for (const path of wrong) replacePiece(copy, path)
  return copy
}

function replacePiece(copy: unknown, path: readonly PropertyKey[]): void {
  for (let end = path.length - 1; end >= 0; end--) {
    const replacement = replacementFor(path.slice(0, end + 1))
    if (replacement !== undefined) {
      put(copy, path.slice(0, end + 1), replacement)
      return
    }
  }
  // Not in a step or a condition: leave the whole of it out, or put the least in its place that a rule must have.
  const [top] = path
  if (top === undefined || !isObject(copy)) return
  const required: Readonly<Record<string, unknown>> = { entry: ANY_ENTRY, steps: [anyStep(path)], body: '-', total: 1 }
  const least = required[String(top)]
  if (least === undefined) Reflect.deleteProperty(copy, top)
  else Reflect.set(copy, top, least)
}

function replacementFor(path: readonly PropertyKey[]): unknown {
  const [parent = '', key = ''] = path.length === 1 ? ['', ...path] : path.slice(-2)
  if (CONDITION_KEYS.has(key)) return ANY_CONDITIONS
  if (typeof key !== 'number') return undefined
  if (CONDITION_LISTS.has(parent)) return ANY_CONDITIONS
  return STEP_LISTS.has(parent) ? anyStep(path) : undefined
}

/** A step that no other one has the id of. */
function anyStep(path: readonly PropertyKey[]) {
  return { id: `refused.${path.map(String).join('.')}`.slice(0, 100), wait: '1d' }
}

function clone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clone)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, clone(part)])) : value
}

function put(copy: unknown, path: readonly PropertyKey[], value: unknown): void {
  let holder = copy
  for (const key of path.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key)) return
    holder = Reflect.get(holder, key) as unknown
  }
  const last = path.at(-1)
  if (typeof holder === 'object' && holder !== null && last !== undefined) Reflect.set(holder, last, value)
}
