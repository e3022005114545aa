/** Chance that comes again for the same seed: mulberry32. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  one<T>(of: readonly T[]): T {
    if (of.length === 0) throw new RangeError('There is nothing to choose from.')
    return of[this.below(of.length)] as T
  }
}

const deep = (depth: number, around: (inner: unknown) => unknown) => {
  let value: unknown = 'x'
  for (let level = 0; level < depth; level++) value = around(value)
  return value
}

/** What JSON can say and nobody means. */
const JSON_VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -0,
  () => -1,
  () => 1e308,
  () => Number.MAX_SAFE_INTEGER + 2,
  () => 0.1,
  () => '',
  () => ' ',
  () => '\u0000',
  () => '\ud800',
  () => 'a'.repeat(70_000),
  () => '购'.repeat(300),
  () => `${'a'.repeat(40)}!`,
  () => '__proto__',
  () => 'constructor',
  () => 'toString',
  () => '9999-12-31T23:59:59Z',
  () => '2026-02-30T25:61:00',
  () => '5d',
  () => '-5d',
  () => '999999999999999d',
  () => 'FREQ=SECONDLY',
  () => 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
  () => '{{ traits.name',
  () => [],
  () => ({}),
  () => [null],
  () => deep(40, (inner) => [inner]),
  () => deep(40, (inner) => ({ inner })),
  () => deep(2_000, (inner) => [inner]),
  () => deep(100, (inner) => ({ all: [inner] })),
  () => deep(100, (inner) => ({ not: inner })),
  () => Array.from({ length: 2_000 }, (_, index) => index),
  () => Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, index])),
  () => JSON.parse('{"__proto__":{"polluted":true}}'),
  () => JSON.parse('{"constructor":{"prototype":{"polluted":true}}}'),
]

/** What only code can hand over. */
const OTHER_VALUES: readonly (() => unknown)[] = [
  () => undefined,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => 10n,
  () => Symbol('s'),
  () => () => 'called',
  () => new Date(Number.NaN),
  () => new Date(8.64e15),
  () => new Map([['a', 1]]),
  () => Object.create(null),
  () => Object.create({ inherited: true }),
  () => {
    const round: Record<string, unknown> = {}
    round['self'] = round
    return round
  },
  () => Object.defineProperty({}, 'name', { enumerable: true, get: () => thrown('a getter') }),
  () => new Proxy({}, { ownKeys: () => thrown('a proxy') }),
  () => ({ toJSON: () => thrown('toJSON') }),
]

const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'length', '', ' ', 'a.b', '$ref', '\u0000', '购']

function thrown(what: string): never {
  throw new Error(`${what} was read`)
}

type Tree = Record<string, unknown>

/** A copy of something that is right, with one to three things wrong; `beyondJson`: also with what only code can say. */
export function spoiled(right: unknown, chance: Chance, beyondJson: boolean): unknown {
  const values = beyondJson ? [...JSON_VALUES, ...OTHER_VALUES] : JSON_VALUES
  if (chance.below(200) === 0) return chance.one(values)()
  const copy = structuredClone(right) as Tree
  const times = 1 + chance.below(3)
  for (let turn = 0; turn < times; turn++) spoilOne(copy, chance, values)
  return copy
}

function spoilOne(root: Tree, chance: Chance, values: readonly (() => unknown)[]): void {
  let at = root
  for (let level = 0; level < 8; level++) {
    const inner = Object.values(at).filter(isPlain)
    if (inner.length === 0 || chance.below(3) === 0) break
    at = chance.one(inner)
  }
  const keys = Object.keys(at)
  const key = keys.length === 0 ? 'x' : chance.one(keys)
  const put = (name: string, value: unknown) =>
    Object.defineProperty(at, name, { value, enumerable: true, configurable: true, writable: true })
  const turn = chance.below(6)
  if (turn === 0) delete at[key]
  else if (turn === 1 && !Array.isArray(at)) put(chance.one(KEYS), chance.one(values)())
  else if (turn === 2 && keys.length > 1) put(key, at[chance.one(keys)])
  else put(key, chance.one(values)())
}

/** Whether it can be looked into and changed. */
function isPlain(value: unknown): value is Tree {
  if (typeof value !== 'object' || value === null) return false
  try {
    return Object.isExtensible(value) && Object.values(value).length < 1_000
  } catch {
    return false
  }
}

const PIECES = [
  '{{',
  '}}',
  '{%',
  '%}',
  '{{ traits.name }}',
  '{{ traits.name | default: "x" }}',
  '{{ traits.__proto__ }}',
  '{{ traits.constructor.prototype }}',
  '{{ traits["constructor"] }}',
  '{{ entry.items[0].name }}',
  '{{ entry.items[99999999] }}',
  '{{ digest.events | map: "phone" | join: "," }}',
  '{{ "x" | append: "y" | append: "z" }}',
  '{{ traits.name | date: "%Y%Y%Y" }}',
  '{{ traits.name | replace: "a", "aaaaaaaaaaaaaaaaaaaa" }}',
  '{{ traits.name | valueOf }}',
  '{{ traits.name | toString }}',
  '{{ traits.name | __proto__ }}',
  '{{ secret }}',
  '{% for a in digest.events %}',
  '{% for i in (1..100000000) %}',
  '{% endfor %}',
  '{% if traits.name contains "a" %}',
  '{% elsif true %}',
  '{% else %}',
  '{% endif %}',
  '{% assign x = "y" %}',
  '{% include "/etc/passwd" %}',
  '{% render "/etc/passwd" %}',
  '{% raw %}',
  '{% endraw %}',
  '{% comment %}',
  '{%- -%}',
  '\u0000',
  '\ud800',
  '您好，',
  "'",
  '"',
  '|',
  ':',
  '\r\n',
  'x'.repeat(500),
]

/** A template of pieces that do not belong together. */
export function spoiledTemplate(chance: Chance): string {
  return Array.from({ length: 1 + chance.below(12) }, () => chance.one(PIECES)).join(chance.one(['', '', ' ']))
}
