import { FORBIDDEN_KEYS, own } from './json.js'

/** A compiled path: reads one place of a value. With `[*]` it gives an array of all that match. */
export type Path = (value: unknown) => unknown

type Segment = { readonly key: string } | { readonly index: number } | 'every'

const SEGMENT = /\.([\p{L}_$][\p{L}\p{N}_$-]*)|\[(\d{1,6})\]|\[(\*)\]|\['([^'\\]{1,100})'\]/uy

/** What a path may look like, for error messages. */
export const PATH_FORMS = '"$.a.b", "$.items[0].sku" or "$.items[*].sku"'

/**
 * The safe subset of JSONPath that rules may use: `$`, `.name`, `['name']`, `[0]` and `[*]`. No filters, no scripts, no
 * `..`, and never a prototype. As in json-rules-engine, a path on a value that is no object gives the value itself, and
 * a path that matches nothing gives undefined. Undefined is returned for text that is not such a path.
 */
export function compilePath(text: string): Path | undefined {
  const segments = parse(text)
  if (segments === undefined) return undefined
  if (segments.includes('every')) return (value) => (isContainer(value) ? readAll(value, segments) : value)
  return (value) => {
    if (!isContainer(value)) return value
    let current: unknown = value
    for (const segment of segments) {
      if (!isContainer(current)) return undefined
      current = step(current, segment)
    }
    return current
  }
}

/** A reader for `"$.a.b"`, or for `"name"`, which means the own property of that name. */
export function compileProperty(text: string): Path | undefined {
  if (text.startsWith('$')) return compilePath(text)
  if (text === '' || text.length > 100 || FORBIDDEN_KEYS.has(text)) return undefined
  return (value) => own(value, text)
}

function parse(text: string): Segment[] | undefined {
  if (!text.startsWith('$') || text.length > 1024) return undefined
  const segments: Segment[] = []
  SEGMENT.lastIndex = 1
  while (SEGMENT.lastIndex < text.length) {
    const match = SEGMENT.exec(text)
    if (match === null) return undefined
    const key = match[1] ?? match[4]
    if (key !== undefined) {
      if (FORBIDDEN_KEYS.has(key)) return undefined
      segments.push({ key })
    } else segments.push(match[3] === '*' ? 'every' : { index: Number(match[2]) })
  }
  return segments
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function step(value: object, segment: Segment): unknown {
  if (segment === 'every') return undefined
  if ('index' in segment) return Array.isArray(value) ? value[segment.index] : undefined
  return own(value, segment.key)
}

/** All values that match a path with `[*]`; undefined when there is none, as json-rules-engine's resolver answers. */
function readAll(root: object, segments: readonly Segment[]): unknown {
  let current: unknown[] = [root]
  for (const segment of segments) {
    const next: unknown[] = []
    for (const value of current) {
      if (!isContainer(value)) continue
      if (segment === 'every') for (const member of Object.values(value)) next.push(member)
      else {
        const found = step(value, segment)
        if (found !== undefined) next.push(found)
      }
    }
    current = next
  }
  return current.length === 0 ? undefined : current
}
