import { type Place, type Problems, pointerTo } from '@linli/rules'
import { parseTarget, TargetError, type UrlPolicy } from '../../http/target.js'
import type { Answer, DeclaredRequest, HttpDeclaration } from './declaration.js'
import { type Placeholder, partsOf, placeholdersIn } from './placeholders.js'

/** What a declaration is checked against: what the program that loads it allows. */
export interface Allowed {
  readonly policy: UrlPolicy
  /** Names of secrets that there are. */
  readonly secrets: ReadonlySet<string>
}

/** Names of placeholders; after one that ends in `.` comes a name of the shop's own. */
const OF_A_DELIVERY = ['deliveryKey', 'at.iso', 'at.ms', 'at.s', 'secret.']
const OF_A_MESSAGE = [
  ...OF_A_DELIVERY,
  ...['channel', 'class', 'to.kind', 'to.id', 'to.traits.'],
  ...['content.template', 'content.title', 'content.body', 'content.data.'],
  ...['source.journey', 'source.run', 'source.step'],
]
const HEADER = /^[\w!#$%&'*+.^`|~-]+$/
/** What HTTP itself says with; a declaration must not. */
const OWN_HEADERS = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What the shape of a declaration cannot say. */
export function checkDeclaration(declared: HttpDeclaration, place: Place, problems: Problems, allowed: Allowed): void {
  const { repeat = { kind: 'none' }, answers = [] } = declared
  const names = checkRequest(declared, place, problems, allowed, OF_A_MESSAGE)
  const below = (...tokens: readonly PropertyKey[]) => ({ ...place, pointer: pointerTo(place.pointer, ...tokens) })
  answers.forEach((answer, index) => void checkAnswer(answer, below('answers', index), problems))
  if (repeat.kind === 'idempotent' && !names.has('deliveryKey')) {
    const message = 'The request does not hold {{ deliveryKey }}: by what is the provider to know a repeat?'
    problems.error(below('repeat'), 'repeat.no_key', message)
  }
  if (repeat.kind !== 'queryable') return
  const lookUp = below('repeat', 'lookUp')
  const asked = checkRequest(repeat.lookUp, lookUp, problems, allowed, OF_A_DELIVERY)
  if (!asked.has('deliveryKey') || !names.has('deliveryKey')) {
    const message = 'Both the request and "lookUp" must hold {{ deliveryKey }}: by what is the provider to find it?'
    problems.error(lookUp, 'repeat.no_key', message)
  }
  repeat.lookUp.answers.forEach((answer, index) => {
    checkAnswer(answer, { ...lookUp, pointer: pointerTo(lookUp.pointer, 'answers', index) }, problems)
  })
}

/** Gives the placeholders that a request holds. */
function checkRequest(
  request: DeclaredRequest,
  place: Place,
  problems: Problems,
  { policy, secrets }: Allowed,
  known: readonly string[],
): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (value: unknown, at: Place): void => {
    if (typeof value === 'string') for (const name of checkText(value, at, problems, known)) names.add(name)
    if (typeof value !== 'object' || value === null) return
    for (const [key, one] of Object.entries(value)) {
      const below = { ...at, pointer: pointerTo(at.pointer, key) }
      if (key.includes('{{')) problems.error(below, 'placeholder.key', 'Names of members cannot be placeholders.')
      visit(one, below)
    }
  }
  for (const key of ['url', 'query', 'headers', 'body', 'form'] as const) {
    visit(request[key], { ...place, pointer: pointerTo(place.pointer, key) })
  }
  for (const name of names) {
    const secret = name.startsWith('secret.') ? name.slice(7) : undefined
    if (secret === undefined || secrets.has(secret)) continue
    problems.error(place, 'secret.missing', `There is no secret ${JSON.stringify(secret)}, or it is empty.`, {
      name: secret,
      known: secrets,
    })
  }
  checkUrl(request.url, { ...place, pointer: pointerTo(place.pointer, 'url') }, problems, policy)
  checkHeaders(request, place, problems)
  checkBody(request, place, problems)
  return names
}

function checkText(text: string, place: Place, problems: Problems, known: readonly string[]): readonly string[] {
  const parts = partsOf(text)
  if (parts === undefined) {
    const message =
      'Braces stand here that are no placeholder. One looks so: {{ to.traits.phone }}, or {{ content.title? }}.'
    problems.error(place, 'placeholder.malformed', message, { found: text })
    return []
  }
  return placeholdersIn(parts).map((placeholder) => {
    const name = nameOf(placeholder)
    if (!known.some((one) => (one.endsWith('.') ? name.startsWith(one) && name !== one : name === one))) {
      const list = known.map((one) => (one.endsWith('.') ? `${one}…` : one)).join(', ')
      problems.error(place, 'placeholder.unknown', `There is no ${JSON.stringify(name)} here. Known here: ${list}.`, {
        found: text,
        name,
        known,
      })
    }
    return name
  })
}

function nameOf({ path }: Placeholder): string {
  return path.join('.')
}

const URL_FORM = /^https?:\/\/[^/?#{}\\\s]+(\/[^?#\\]*)?$/i

function checkUrl(url: string, place: Place, problems: Problems, policy: UrlPolicy): void {
  if (!URL_FORM.test(url)) {
    const message =
      'This should be an absolute https: URL whose host is no placeholder. What follows "?" belongs into "query".'
    problems.error(place, 'url.invalid', message, { found: url })
    return
  }
  try {
    parseTarget(url.replaceAll(/\{\{.*?\}\}/g, 'x'), policy)
  } catch (error) {
    if (!(error instanceof TargetError)) throw error
    problems.error(place, error.problem.replace('_', '.'), error.message)
  }
}

function checkHeaders({ headers = {} }: DeclaredRequest, place: Place, problems: Problems): void {
  for (const name of Object.keys(headers)) {
    if (HEADER.test(name) && !OWN_HEADERS.has(name.toLowerCase())) continue
    const at = { ...place, pointer: pointerTo(place.pointer, 'headers', name) }
    problems.error(at, 'header.invalid', `${JSON.stringify(name)} is no header field that may be set here.`)
  }
}

function checkBody({ method, body, form }: DeclaredRequest, place: Place, problems: Problems): void {
  const at = { ...place, pointer: pointerTo(place.pointer, form === undefined ? 'body' : 'form') }
  if (body !== undefined && form !== undefined) {
    problems.error(at, 'body.twice', 'A request has "body" or "form", not both.')
  } else if (method === 'GET' && (body !== undefined || form !== undefined)) {
    problems.error(at, 'body.of_get', 'A request by GET has no body. Use "query", or another "method".')
  }
}

function checkAnswer(
  { at, is, then, providerId, afterSeconds, reason }: Answer,
  place: Place,
  problems: Problems,
): void {
  const below = (key: string) => ({ ...place, pointer: pointerTo(place.pointer, key) })
  if ((at === undefined) !== (is === undefined)) {
    problems.error(place, 'answer.at_and_is', '"at" and "is" need one another: where it stands, and what stands there.')
  }
  const only = (key: string, given: unknown, ...of: readonly string[]) => {
    if (given === undefined || of.includes(then)) return
    const fitting = of.map((one) => JSON.stringify(one)).join(' or ')
    problems.error(below(key), 'answer.meaning', `${JSON.stringify(key)} goes with "then": ${fitting}.`)
  }
  only('providerId', providerId, 'accepted', 'awaiting_person')
  only('afterSeconds', afterSeconds, 'deferred')
  only('reason', reason, 'refused')
}
