import * as z from 'zod'
import { pointerSchema } from '../../declared/pointer.js'

const text = z.string().min(1).max(4000)
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const texts = z.record(z.string().min(1).max(200), z.string().max(4000))

/** One request. Every text of it may hold placeholders; see `httpChannel`. */
const request = {
  /** Default `POST`, and `GET` for `lookUp`. */
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH']).optional(),
  /** Scheme, host and path. Placeholders may stand in the path, after the host; each fills a part of one segment. */
  url: text,
  /** What follows `?`, by name. */
  query: texts.optional(),
  /** Header fields, by name. */
  headers: texts.optional(),
  /** Sent as JSON. A text that is one placeholder and nothing else becomes the value itself. */
  body: z.unknown().optional(),
  /** Sent as `application/x-www-form-urlencoded`, instead of `body`. */
  form: texts.optional(),
}

const when = {
  /** The answer's HTTP status is one of these; `2xx` is all from 200 to 299. Left out: any. */
  status: z
    .array(z.union([z.int().min(100).max(599), z.enum(['2xx', '3xx', '4xx', '5xx'])]))
    .min(1)
    .optional(),
  /** A JSON Pointer into the answer, which `is` one of some values. The empty pointer is all of it, also of one in plain text. */
  at: pointerSchema.optional(),
  /** Numbers and texts of the same digits are equal. */
  is: z.array(scalar).min(1).max(1000).optional(),
}

const means = {
  /** `accepted`, `awaiting_person`: where the provider's id of the message stands in the answer, a JSON Pointer. */
  providerId: pointerSchema.optional(),
  /** `deferred`: not before so many seconds. A longer `Retry-After` of the provider counts. */
  afterSeconds: z.int().min(1).max(604_800).optional(),
  /** `refused`: why. Default `other`. */
  reason: z.enum(['recipient', 'content', 'configuration', 'other']).optional(),
}

/** What an answer means: the first whose conditions hold counts. */
const answer = z.strictObject({
  ...when,
  /** What becomes of the message. `unknown`: the provider may have taken it. */
  then: z.enum(['accepted', 'awaiting_person', 'deferred', 'refused', 'unknown']),
  ...means,
})
const lookUpAnswer = z.strictObject({
  ...when,
  then: z.enum(['accepted', 'awaiting_person', 'deferred', 'refused', 'unknown', 'not_found']),
  ...means,
})
export type Answer = z.output<typeof lookUpAnswer>

const repeat = z.union([
  z.strictObject({ kind: z.literal('none') }),
  /** The provider drops a second request with the same `{{ deliveryKey }}`, for so many milliseconds. */
  z.strictObject({ kind: z.literal('idempotent'), windowMs: z.int().min(1) }),
  z.strictObject({
    kind: z.literal('queryable'),
    /** Asks the provider what became of `{{ deliveryKey }}`. An answer that none of `answers` fits says nothing. */
    lookUp: z.strictObject({ ...request, answers: z.array(lookUpAnswer).min(1).max(100) }),
  }),
])

export const declarationSchema = z.strictObject({
  /** The channel's name in rules. */
  name: z.string().min(1).max(100),
  ...request,
  /** Left out: the HTTP status decides, as of the webhook channel. */
  answers: z.array(answer).min(1).max(100).optional(),
  /** The longest one request may take, in milliseconds, at most 20,000. Default 10,000. */
  timeoutMs: z.int().min(1).max(20_000).optional(),
  /** How often the provider may be called. */
  rate: z.strictObject({ max: z.int().min(1), perMs: z.int().min(1) }).optional(),
  /** What may follow an unknown outcome. Default `{ "kind": "none" }`: a person decides. */
  repeat: repeat.optional(),
})

/** A channel declared in JSON. */
export type HttpDeclaration = z.output<typeof declarationSchema>
export type DeclaredRequest = Pick<HttpDeclaration, keyof typeof request>
