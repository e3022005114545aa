import * as z from 'zod'
import { FORBIDDEN_KEYS, isObject, own, pointerTo } from './json.js'
import { nearest, type Place, type Problems } from './problems.js'
import { variantOf } from './schemas/variant.js'

type Issue = z.core.$ZodIssue

/** What is wrong in a document, while its issues are being told. */
interface Report {
  readonly input: unknown
  readonly place: Place
  readonly problems: Problems
  /** Pointers of keys that are missing because they are misspelt, which has been reported already. */
  readonly misspelt: Set<string>
}

/** A value of a schema's shape, or the paths of what is wrong, which has been reported. */
export type Shape<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly wrong: readonly (readonly PropertyKey[])[] }

/** Reads a value of a schema's shape. What is wrong is reported, each with its place. */
export function readShape<T>(schema: z.ZodType<T>, input: unknown, place: Place, problems: Problems): Shape<T> {
  const parsed = schema.safeParse(input, { error: nameKeys })
  if (parsed.success) return { ok: true, value: parsed.data }
  const report = { input, place, problems, misspelt: new Set<string>() }
  const issues = parsed.error.issues.flatMap((issue) => innermost(issue, input))
  for (const issue of issues) if (issue.code === 'unrecognized_keys') reportKeys(issue, report)
  for (const issue of issues) if (issue.code !== 'unrecognized_keys') reportIssue(issue, report)
  const wrong = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
  )
  return { ok: false, wrong }
}

/** Of a union that fits nowhere, the issues of the form that was meant. */
function innermost(issue: Issue, input: unknown): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meant = issue.errors.filter((issues) => !issues.some(isOtherForm))
  const best = meant.reduce<readonly Issue[] | undefined>(
    (least, issues) => (least === undefined || issues.length < least.length ? issues : least),
    undefined,
  )
  if (best === undefined) return [issue]
  return best
    .map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue)
    .flatMap((inner) => innermost(inner, input))
}

/** Whether an issue says that the value is none of a form at all, such as a number where the form is a list. */
function isOtherForm(issue: Issue): boolean {
  if (issue.path.length > 0) return false
  if (issue.code === 'invalid_union') return issue.errors.every((issues) => issues.some(isOtherForm))
  return issue.code === 'invalid_type' || issue.code === 'invalid_value' || variantOf(issue) !== undefined
}

function reportKeys(issue: z.core.$ZodIssueUnrecognizedKeys, { input, place, problems, misspelt }: Report): void {
  const holder = valueAt(input, issue.path)
  const legal = issue.message.split(' ')
  const free = legal.filter((key) => own(holder, key) === undefined)
  for (const key of issue.keys) {
    if (FORBIDDEN_KEYS.has(key)) continue
    const at = { ...place, pointer: pointerTo(place.pointer, ...issue.path, key) }
    const meant = nearest(key, free)
    if (meant !== undefined) misspelt.add(pointerTo('', ...issue.path, meant))
    const message = `There is no key ${quote(key)} here. Known here: ${legal.join(', ')}.`
    problems.error(at, 'key.unknown', message, { found: own(holder, key), name: key, known: free })
  }
}

function reportIssue(issue: Issue, report: Report): void {
  const { input, place, problems, misspelt } = report
  const found = valueAt(input, issue.path)
  if (found === undefined) {
    // A key that is missing: the place that can be looked at is the object without it.
    if (misspelt.has(pointerTo('', ...issue.path))) return
    const at = { ...place, pointer: pointerTo(place.pointer, ...issue.path.slice(0, -1)) }
    const key = String(issue.path.at(-1) ?? 'value')
    problems.error(at, 'key.missing', `${quote(key)} is missing; it should be ${expected(issue)}.`)
    return
  }
  const at = { ...place, pointer: pointerTo(place.pointer, ...issue.path) }
  if (reportVariants(issue, found, at, problems)) return
  const options = optionsOf(issue)
  if (options.length > 0) {
    const name = typeof found === 'string' ? { name: found, known: options } : {}
    problems.error(at, 'value.unknown', `This should be ${expected(issue)}.`, { found, ...name })
  } else problems.error(at, 'value.invalid', sentence(issue, found), { found })
}

/** An object of which no form's key is there, such as a step without a verb; false for other issues. */
function reportVariants(issue: Issue, found: unknown, place: Place, problems: Problems): boolean {
  if (issue.code !== 'invalid_union' || !isObject(found)) return false
  const forms = issue.errors.flatMap((issues) => issues.map(variantOf)).filter((key) => key !== undefined)
  if (forms.length === 0) return false
  const keys = Object.keys(found)
  const misspelt = keys.find((key) => nearest(key, forms) !== undefined)
  const at = misspelt === undefined ? place : { ...place, pointer: pointerTo(place.pointer, misspelt) }
  const message = `This needs ${forms.length === 1 ? 'the key' : 'one of the keys'} ${forms.map(quote).join(', ')}.`
  problems.error(at, 'form.unknown', message, {
    found: keys.length === 0 ? found : keys.join(', '),
    ...(misspelt !== undefined && { name: misspelt, known: forms }),
  })
  return true
}

/** The constants among what would be right. */
function optionsOf(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  if (issue.code !== 'invalid_union') return []
  const { options } = issue as { readonly options?: readonly unknown[] }
  if (options !== undefined) return options.map(String)
  return issue.errors.flatMap((issues) => issues.filter((inner) => inner.path.length === 0).flatMap(optionsOf))
}

/** What would be right, as a part of a sentence. */
function expected(issue: Issue): string {
  if (issue.code === 'invalid_type') return article(issue.expected)
  const constants = optionsOf(issue).map(quote)
  if (issue.code !== 'invalid_union') return oneOf(constants)
  const forms = issue.errors.map((issues) => issues.find(isOtherForm)).filter((inner) => inner !== undefined)
  const objects = forms.map(variantOf).filter((key) => key !== undefined)
  const shown = objects.map((key) => `{ ${quote(key)}: … }`)
  if (constants.length + objects.length > 0 && constants.length + objects.length >= forms.length) {
    return oneOf([...constants, ...shown])
  }
  const others = forms.filter((inner) => variantOf(inner) === undefined).map(expected)
  return [...new Set(others), ...shown].join(' or ')
}

function oneOf(options: readonly string[]): string {
  return options.length === 1 ? String(options[0]) : `one of ${options.join(', ')}`
}

function sentence(issue: Issue, found: unknown): string {
  switch (issue.code) {
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') {
        return `This ${issue.origin === 'string' ? 'text' : 'list'} is empty.`
      }
      return `This should be at least ${issue.minimum}.`
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `This ${issue.origin === 'string' ? 'text' : 'list'} has at most ${issue.maximum}${unit(issue)}.`
        : `This should be at most ${issue.maximum}.`
    case 'invalid_format':
      return `${issue.message}.`
    case 'invalid_key':
      return 'The name of this key is empty or too long.'
    default:
      return `This should be ${expected(issue)}${isQuotedNumber(issue, found) ? `: ${found} without quotes` : ''}.`
  }
}

function isQuotedNumber(issue: Issue, found: unknown): found is string {
  const number = issue.code === 'invalid_type' && (issue.expected === 'number' || issue.expected === 'int')
  return number && typeof found === 'string' && found.trim() !== '' && !Number.isNaN(Number(found))
}

function unit(issue: { readonly origin: string }): string {
  if (issue.origin === 'array') return ' elements'
  return issue.origin === 'string' ? ' characters' : ''
}

function article(type: string): string {
  const names: Readonly<Record<string, string>> = {
    record: 'an object',
    object: 'an object',
    array: 'a list',
    string: 'text',
    int: 'a whole number',
    null: 'null',
    boolean: 'true or false',
  }
  return names[type] ?? `a ${type}`
}

function quote(text: string): string {
  return JSON.stringify(text)
}

/** Puts the keys that are known at a place into the issue about one that is not: suggestions come from them. */
function nameKeys(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'unrecognized_keys') return undefined
  return issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape).join(' ') : ''
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const token of path) {
    if (!isObject(value) && !Array.isArray(value)) return undefined
    value = own(value, String(token))
  }
  return value
}
