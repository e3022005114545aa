import type { DeclaredRequest } from './declaration.js'
import { fillJson, fillText, type Parts, partsOf, type Values } from './placeholders.js'

/** A request that is ready to leave. */
export interface Prepared {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** What a filled placeholder makes of the request cannot be sent. */
export class Unsendable extends Error {
  constructor(
    readonly where: 'path' | 'header' | 'text',
    options?: ErrorOptions,
  ) {
    super(where, options)
  }
}

/** Fills the placeholders of a declared request. */
export type Prepare = (values: Values) => Prepared

/** Reads a request, which has been checked, once; it is then filled for each message. */
export function prepareWith(request: DeclaredRequest, usual: 'GET' | 'POST'): Prepare {
  const { method = usual, body, form } = request
  const [origin = '', path] = splitUrl(request.url)
  const segments = path.split('/').map(partsIn)
  const query = entriesIn(request.query)
  const fields = entriesIn(form)
  const headers = entriesIn(request.headers)
  const contentType = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded;charset=UTF-8'
  const hasBody = body !== undefined || form !== undefined
  /** @throws {Unfilled} {Unsendable} */
  return (values) => {
    const url = new URL(segments.map((segment) => fillSegment(segment, values)).join('/'), origin)
    // Whatever is filled in, the request goes where the declaration says.
    if (url.origin !== new URL(origin).origin) throw new Unsendable('path')
    for (const [name, parts] of query) url.searchParams.set(name, fillText(parts, values))
    const text =
      form === undefined
        ? JSON.stringify(fillJson(body, values))
        : new URLSearchParams(
            fields.map(([name, parts]): [string, string] => [name, fillText(parts, values)]),
          ).toString()
    return {
      method,
      url,
      headers: {
        'user-agent': 'linli',
        ...(hasBody && { 'content-type': contentType }),
        ...Object.fromEntries(headers.map(([name, parts]) => [name.toLowerCase(), fillHeader(parts, values)])),
      },
      ...(hasBody && { body: text }),
    }
  }
}

function splitUrl(url: string): readonly [origin: string, path: string] {
  const end = url.indexOf('/', url.indexOf('//') + 2)
  return end < 0 ? [url, '/'] : [url.slice(0, end), url.slice(end)]
}

function partsIn(text: string): Parts {
  return partsOf(text) ?? [text]
}

function entriesIn(texts: Readonly<Record<string, string>> = {}): readonly (readonly [string, Parts])[] {
  return Object.entries(texts).map(([name, text]) => [name, partsIn(text)])
}

/** A segment of dots would lead out of the path; an empty one, to another resource. */
function fillSegment(parts: Parts, values: Values): string {
  const text = fillText(parts, values, encodeSegment)
  const isFilled = parts.some((part) => typeof part !== 'string')
  if (isFilled && (text === '' || /^(\.|%2e){1,2}$/i.test(text))) throw new Unsendable('path')
  return text
}

function encodeSegment(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch (cause) {
    // Half of a character.
    throw new Unsendable('text', { cause })
  }
}

function fillHeader(parts: Parts, values: Values): string {
  const text = fillText(parts, values)
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) throw new Unsendable('header')
  return text
}
