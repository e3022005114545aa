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
}

/** What a message is made of, once rendered. */
export interface Rendered {
  readonly title?: string
  readonly body: string
  readonly data?: Readonly<Record<string, string>>
}

export type RenderResult =
  | { readonly ok: true; readonly content: Rendered }
  | { readonly ok: false; readonly error: string }

export interface Template {
  readonly id: string
  /** The first names of the variables it reads, such as `coupon`. */
  readonly reads: ReadonlySet<string>
  /** Those of them without which there is never a message: each is put out whatever happens, without a default. */
  readonly needs: ReadonlySet<string>
  /** Renders with own properties only. A variable that has no value is an error, not an empty text. */
  render(variables: Readonly<Record<string, unknown>>): RenderResult
}

/** Compiles a template; what is wrong is reported. */
export function compileTemplate(definition: TemplateDefinition, place: Place, problems: Problems): Template {
  const reads = new Set<string>()
  const needs = new Set<string>()
  const part = (text: string, ...key: string[]) => {
    const at = { ...place, pointer: pointerTo(place.pointer, ...key) }
    const parsed = parsePart(text, at, reads, problems)
    for (const [root] of neededVariablesOf(parsed)) needs.add(String(root))
    return { parsed, replaceable: replaceableVariablesOf(parsed) }
  }
  const title = definition.title === undefined ? undefined : part(definition.title, 'title')
  const body = part(definition.body, 'body')
  const data = Object.entries(definition.data ?? {}).map(([key, text]) => [key, part(text, 'data', key)] as const)
  return {
    id: definition.id,
    reads,
    needs,
    render: (variables) => {
      const render = ({ parsed, replaceable }: ReturnType<typeof part>) =>
        renderText(parsed, withNulls(variables, replaceable))
      try {
        const fields = data.map(([key, parsed]) => [key, render(parsed)] as const)
        const content = {
          ...(title !== undefined && { title: oneLine(render(title)) }),
          body: render(body),
          ...(fields.length > 0 && { data: Object.fromEntries(fields) }),
        }
        return { ok: true, content }
      } catch (error) {
        return { ok: false, error: reasonOf(error).replace(/, line:.*$/, '') }
      }
    },
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
