import { isObject, own, pointerTo } from './json.js'
import {
  FILTERS,
  neededVariablesOf,
  type Parsed,
  parseText,
  renderText,
  replaceableVariablesOf,
  TAGS,
  variablesOf,
} from './liquid.js'
import { nearest, type Place, type Problems } from './problems.js'
import type { TemplateDefinition } from './schemas/definitions.js'

/** What templates may read. `null`: any name below it; a list: exactly these. */
const VARIABLES: Readonly<Record<string, readonly string[] | null>> = {
  subject: ['kind', 'id'],
  traits: null,
  entry: null,
  event: null,
  digest: ['count', 'events'],
  coupon: ['code', 'offer', 'name', 'value', 'expiresAt'],
  community: ['id'],
  leader: ['id'],
  journey: ['id', 'name'],
  unsubscribe: ['token'],
  copy: [],
}

const DEFAULT_MAX_LENGTH = 100

/** What a message is made of, once rendered. */
export interface Rendered {
  readonly title?: string
  readonly body: string
  readonly data?: Readonly<Record<string, string>>
}

export type RenderResult =
  | { readonly ok: true; readonly content: Rendered }
  | { readonly ok: false; readonly error: string }

/** A text that a copywriter is asked for. */
export interface TemplateCopy {
  /** How many characters it may have. */
  readonly maxLength: number
  readonly forbid: readonly string[]
  /** Renders what the copywriter is told. */
  instructions(variables: Readonly<Record<string, unknown>>): TextResult
}

export type TextResult = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string }

export interface Template {
  readonly id: string
  /** The first names of the variables it reads, such as `coupon`. */
  readonly reads: ReadonlySet<string>
  /** Those of them without which there is never a message: each is put out whatever happens, without a default. */
  readonly needs: ReadonlySet<string>
  /** Present where part of it is written for each recipient. */
  readonly copy?: TemplateCopy
  /**
   * Renders with own properties only. A variable that has no value is an error, not an empty text. Where it reads `copy` and there
   * is none, it says its fallback.
   */
  render(variables: Readonly<Record<string, unknown>>): RenderResult
}

/** Compiles a template; what is wrong is reported. */
export function compileTemplate(definition: TemplateDefinition, place: Place, problems: Problems): Template {
  const parts = new TemplateParts(place, problems)
  const title = definition.title === undefined ? undefined : parts.add(definition.title, 'title')
  const body = parts.add(definition.body, 'body')
  const data = Object.entries(definition.data ?? {}).map(([key, text]) => [key, parts.add(text, 'data', key)] as const)
  const wanted = parts.reads.delete('copy')
  const copy = definition.copy && compileCopy(definition.copy, parts)
  checkCopy({ isWanted: wanted, readsItself: parts.reads.delete('copy') }, definition, place, problems)
  return {
    id: definition.id,
    reads: parts.reads,
    needs: parts.needs,
    ...(copy && { copy }),
    render: (given) =>
      attempt(() => {
        const variables =
          copy !== undefined && given['copy'] === undefined ? { ...given, copy: copy.fallback(given) } : given
        const fields = data.map(([key, part]) => [key, part(variables)] as const)
        return {
          ok: true,
          content: {
            ...(title !== undefined && { title: oneLine(title(variables)) }),
            body: body(variables),
            ...(fields.length > 0 && { data: Object.fromEntries(fields) }),
          },
        }
      }),
  }
}

type Variables = Readonly<Record<string, unknown>>

/** The texts of a template, and what they read. */
class TemplateParts {
  readonly reads = new Set<string>()
  readonly needs = new Set<string>()

  constructor(
    private readonly place: Place,
    private readonly problems: Problems,
  ) {}

  /** Compiles a text. Gives what renders it. */
  add(text: string, ...key: string[]): (variables: Variables) => string {
    const { parsed, render } = this.read(text, ...key)
    for (const [root] of neededVariablesOf(parsed)) if (root !== 'copy') this.needs.add(String(root))
    return render
  }

  /** Compiles a text that a message may leave without. */
  read(text: string, ...key: string[]) {
    const at = { ...this.place, pointer: pointerTo(this.place.pointer, ...key) }
    const parsed = parsePart(text, at, this.reads, this.problems)
    const replaceable = replaceableVariablesOf(parsed)
    return { parsed, render: (variables: Variables) => renderText(parsed, withNulls(variables, replaceable)) }
  }
}

function compileCopy(copy: NonNullable<TemplateDefinition['copy']>, parts: TemplateParts) {
  const { maxLength = DEFAULT_MAX_LENGTH, forbid = [] } = copy
  const fallback = parts.add(copy.fallback, 'copy', 'fallback')
  const instructions = parts.read(copy.instructions, 'copy', 'instructions')
  return {
    maxLength,
    forbid,
    fallback,
    instructions: (variables: Variables) =>
      attempt((): TextResult => ({ ok: true, text: instructions.render(variables) })),
  }
}

/** What is written must have its place, and the place something that is written. */
function checkCopy(
  { isWanted, readsItself }: { readonly isWanted: boolean; readonly readsItself: boolean },
  { body, copy }: TemplateDefinition,
  place: Place,
  problems: Problems,
): void {
  const error = (member: string, message: string, found: string) =>
    problems.error({ ...place, pointer: pointerTo(place.pointer, member) }, 'template.copy', message, { found })
  if (isWanted && copy === undefined) {
    error('body', 'The template reads {{ copy }}, and has no "copy" that says what to write.', body)
  }
  if (copy === undefined) return
  if (!isWanted) error('copy', 'The template reads {{ copy }} nowhere: what is written would be lost.', body)
  if (readsItself) error('copy', 'Neither "instructions" nor "fallback" can read {{ copy }}.', copy.instructions)
}

function attempt<T>(render: () => T): T | { readonly ok: false; readonly error: string } {
  try {
    return render()
  } catch (error) {
    return { ok: false, error: reasonOf(error).replace(/, line:.*$/, '') }
  }
}

/** A title ends up in headers, where a line break of somebody's name would begin another header. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}

/** Where nothing is missed, nothing is thrown: to say `null` of what has a default is cheaper than to find that out. */
function withNulls(
  variables: Readonly<Record<string, unknown>>,
  replaceable: readonly (readonly unknown[])[],
): Readonly<Record<string, unknown>> {
  let filled = variables
  for (const [root, name, ...deeper] of replaceable) {
    const members = own(filled, String(root))
    if (typeof name !== 'string' || deeper.length > 0 || !isObject(members) || Object.hasOwn(members, name)) continue
    filled = { ...filled, [String(root)]: { ...members, [name]: null } }
  }
  return filled
}

function parsePart(text: string, place: Place, reads: Set<string>, problems: Problems): Parsed {
  try {
    const parsed = parseText(text)
    for (const segments of variablesOf(parsed)) checkVariable(segments, place, reads, problems)
    return parsed
  } catch (error) {
    const reason = reasonOf(error)
    const message = `The template is not right: ${reason.replace(/line:(\d+), col:(\d+)$/, 'line $1, column $2')}.`
    const filter = /^undefined filter: (\w+)/.exec(reason)?.[1]
    const tag = /^tag "(\w+)" not found/.exec(reason)?.[1]
    problems.error(place, 'template.syntax', message, {
      found: text,
      ...(filter !== undefined && { name: filter, known: FILTERS }),
      ...(tag !== undefined && { name: tag, known: TAGS }),
    })
    return []
  }
}

function checkVariable(segments: readonly unknown[], place: Place, reads: Set<string>, problems: Problems): void {
  const [root, member] = segments.map(String)
  if (root === undefined) return
  reads.add(root)
  const written = segments.map(String).join('.')
  if (!Object.hasOwn(VARIABLES, root)) {
    const known = Object.keys(VARIABLES)
    const message = `Templates have no variable ${JSON.stringify(written)}. They start with: ${known.join(', ')}.`
    problems.error(place, 'template.variable', message, { found: written, name: root, known })
    return
  }
  const members = VARIABLES[root]
  if (members === null || members === undefined || member === undefined || members.includes(member)) return
  const suggestion = nearest(member, members)
  problems.error(place, 'template.variable', `"${root}" has no "${member}". It has: ${members.join(', ')}.`, {
    found: written,
    ...(suggestion !== undefined && { name: written, known: [`${root}.${suggestion}`] }),
  })
}

/** What went wrong, in one line. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : 'it cannot be read'
  const line = (text.split('\n')[0] ?? text).replace(/, file:.*$/, '').trim()
  return line.replace(/^undefined variable: ([^,]*)/, '$1 has no value')
}
