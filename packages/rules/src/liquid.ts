import { filters, Liquid, Output, type Template } from 'liquidjs'

/** Parsed text. */
export type Parsed = readonly Template[]

/** What templates may do: choose, repeat and name values. Nothing that loads another template. */
export const TAGS = 'if unless case for break continue assign capture comment raw cycle # echo'.split(' ')

/** What templates may do to a value. Nothing that reads a clock, is random, or evaluates text. */
export const FILTERS = [
  'abs append at_least at_most capitalize ceil compact concat date default divided_by downcase escape first floor join',
  'json last lstrip map minus modulo newline_to_br plus prepend remove replace reverse round rstrip size slice sort',
  'split strip strip_newlines sum times truncate truncatewords uniq upcase url_encode where',
  'money',
].flatMap((line) => line.split(' '))

type Filter = Extract<(typeof filters)[string], (...args: never) => unknown>

const plainDate = filters['date'] as Filter

/** How much one rendering may do: so many tags and outputs, so many characters and list elements. */
const MOST_PARTS = 10_000
const MOST_MEMORY = 1_000_000

function lockedDown(): Liquid {
  const engine = new Liquid({
    ownPropertyOnly: true,
    strictVariables: true,
    lenientIf: true,
    strictFilters: true,
    templates: {},
    parseLimit: 20_000,
    renderLimit: 1000,
    memoryLimit: MOST_MEMORY,
    timezoneOffset: -480,
    locale: 'zh-CN',
    outputEscape: textOf,
  })
  for (const name of Object.keys(engine.tags)) if (!TAGS.includes(name)) delete engine.tags[name]
  for (const name of Object.keys(engine.filters)) if (!FILTERS.includes(name)) delete engine.filters[name]
  engine.registerFilter('money', money)
  engine.registerFilter('date', date)
  return engine
}

/** Parses text; throws when it is not Liquid, or uses what is not allowed. */
export function parseText(text: string): Parsed {
  return liquid.parse(text)
}

/** The variables that a text reads and does not set itself, each as the names on the way to it. */
export function variablesOf(parsed: Parsed): readonly (readonly unknown[])[] {
  return liquid.globalVariableSegmentsSync([...parsed])
}

/** Those that it cannot do without: it reads them whatever happens, and says nothing to put in their place. */
export function neededVariablesOf(parsed: Parsed): readonly (readonly unknown[])[] {
  const outputs = parsed.filter((part) => part instanceof Output && part.value.filters[0]?.name !== 'default')
  return variablesOf(outputs)
}

/** Those that outputs have something to put in the place of, and that nothing else reads. */
export function replaceableVariablesOf(parsed: Parsed): readonly (readonly unknown[])[] {
  const isReplaceable = (part: Template) =>
    part instanceof Output && part.value.filters[0]?.name === 'default' && variablesOf([part]).length === 1
  const others = new Set(variablesOf(parsed.filter((part) => !isReplaceable(part))).map((path) => path.join('.')))
  return variablesOf(parsed.filter(isReplaceable)).filter((path) => !others.has(path.join('.')))
}

/** Renders parsed text; throws when a variable has no value or the work is too much. */
export function renderText(parsed: Parsed, variables: Readonly<Record<string, unknown>>): string {
  return String(liquid.renderSync([...parsed], variables, { templateLimit: MOST_PARTS }))
}

/** An output as text. What people could not read is an error: nothing at all, or an object. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) throw new TypeError('a variable has no value')
  if (Array.isArray(value)) return value.map(textOf).join('')
  if (typeof value === 'object') throw new TypeError('a variable is an object, not text')
  return String(value)
}

function money(value: unknown): string {
  const amount = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof amount !== 'number' || !Number.isFinite(amount)) throw new TypeError('money needs a number')
  return amount.toFixed(2)
}

/** The date filter without "now": the same message must come out whenever it is rendered. */
function date(this: ThisParameterType<Filter>, value: unknown, ...rest: unknown[]): unknown {
  if (value === 'now' || value === 'today') throw new TypeError('templates have no clock: "now" has no value')
  return plainDate.apply(this, [value, ...rest])
}

const liquid = lockedDown()
