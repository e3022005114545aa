import { exchange, type HttpOutcome, type HttpRequest } from './request.js'

/** A JSON object of the other side. Nothing is known of its members. */
export type JsonObject = Readonly<Record<string, unknown>>

export type JsonOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter?: string; readonly json: JsonObject }
  | Exclude<HttpOutcome, { readonly kind: 'answered' }>

/** Sends one request and reads an answer in JSON. An answer that is no object is none: the outcome is unknown, save where the status says it. */
export async function exchangeJson(request: Omit<HttpRequest, 'wantsText'>): Promise<JsonOutcome> {
  const outcome = await exchange({ ...request, wantsText: true })
  if (outcome.kind !== 'answered') return outcome
  const { status, retryAfter, text = '' } = outcome
  // These say by themselves that nothing was done; what stands in front of a platform answers them with a page of its own.
  const json = parseObject(text) ?? (status === 429 || status === 503 ? {} : undefined)
  if (json === undefined) return { kind: 'unknown', code: `HTTP_${status}_NO_JSON` }
  return { kind: 'answered', status, ...(retryAfter !== undefined && { retryAfter }), json }
}

/** Undefined where the text is no JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  return asObject(parseJson(text))
}

/** Undefined where the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The value, where it is a JSON object. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}
