import type { CopyRequest, Copywriter } from '@linli/core'
import { startDeadline } from '../../http/deadline.js'
import { AdapterError } from '../../http/errors.js'
import { asObject, exchangeJson, type JsonObject, type JsonOutcome } from '../../http/json.js'
import { requireUrl } from '../../http/options.js'
import { requireSecret, requireText, type Secret } from '../../http/secret.js'

export interface OpenaiCopywriterOptions {
  /** What stands before `/chat/completions`, such as `https://api.deepseek.com/v1` or `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string
  /** The model's name there. */
  readonly model: string
  /** Sent as a bearer token. Left out: none is sent, as a server in your own network may want. */
  readonly apiKey?: string | Secret
  /** What decisions call it. Default: the model's name. */
  readonly name?: string
  /** What the model is told before each request. Default: to write one sentence in Chinese, within the limits, and nothing made up. */
  readonly system?: (request: CopyRequest) => string
  /** More members of the request's body, such as `temperature` or `max_tokens`. */
  readonly body?: JsonObject
  /** The longest one text may take, in milliseconds. Default 8,000. */
  readonly timeoutMs?: number
  /** How many texts one process asks for at a time. Default 8. */
  readonly concurrency?: number
}

const DEFAULT_TIMEOUT_MS = 8_000

/**
 * Has a language model write texts, by any endpoint that is compatible with OpenAI's chat completions. It is sent the model's
 * name, the system's words, and the instructions of the template as they were rendered: nothing else of anybody.
 *
 * Wire format: https://platform.openai.com/docs/api-reference/chat/create
 *
 * @throws {AdapterError} `openai.option_invalid`
 */
export function openaiCopywriter(options: OpenaiCopywriterOptions): Copywriter {
  const { model, name = model, system = systemWords, body = {}, timeoutMs = DEFAULT_TIMEOUT_MS, concurrency } = options
  const url = addressOf(options.baseUrl)
  requireText('openai', 'model', model, 'the name of a model')
  const apiKey = options.apiKey && requireSecret('openai', 'apiKey', options.apiKey, 'the key of the endpoint')
  const headers = {
    'content-type': 'application/json',
    ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }),
  }
  return {
    name,
    ...(concurrency !== undefined && { concurrency }),
    async write(request, { signal }) {
      const messages = [
        { role: 'system', content: system(request) },
        { role: 'user', content: request.instructions },
      ]
      const deadline = startDeadline(signal, timeoutMs)
      try {
        const asked = JSON.stringify({ ...body, model, messages })
        return textOf(await exchangeJson({ url, headers, body: asked, signal: deadline.signal }))
      } finally {
        deadline.clear()
      }
    },
  }
}

function addressOf(baseUrl: string): URL {
  const { href } = requireUrl('openai', 'baseUrl', baseUrl)
  return new URL(`${href.replace(/\/+$/, '')}/chat/completions`)
}

function systemWords({ maxLength, forbid }: CopyRequest): string {
  return [
    '你是社区团购的文案助手，为一条发给邻居的消息写一句话。',
    '只写这句话本身：不加引号、标题、解释，不换行。',
    `最多${maxLength}个字。`,
    '要求里没有的数字、价格、时间、链接和承诺，一律不写。',
    ...(forbid.length > 0 ? [`不能出现这些词：${forbid.join('、')}。`] : []),
  ].join('\n')
}

function textOf(outcome: JsonOutcome): string {
  if (outcome.kind !== 'answered') throw failed('no_answer', 'No answer came', outcome.code)
  const { status, json } = outcome
  if (status !== 200) throw failed(codeFor(status), 'The endpoint wrote nothing', status)
  const [choice] = Array.isArray(json['choices']) ? json['choices'] : []
  const { finish_reason: reason, message } = asObject(choice) ?? {}
  if (reason === 'length') throw failed('cut_off', 'The text was cut off: it is longer than the endpoint lets it be')
  if (reason === 'content_filter') throw failed('refused', "The endpoint's filter keeps the text back")
  const text = asObject(message)?.['content']
  if (typeof text !== 'string') throw failed('no_text', 'The answer has no text')
  // What some models think aloud first.
  return text.replace(/^\s*<think>.*?<\/think>/s, '')
}

function codeFor(status: number): string {
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 429) return 'busy'
  return status >= 500 ? 'unavailable' : 'refused'
}

function failed(code: string, what: string, providerCode?: string | number): AdapterError {
  return new AdapterError(`openai.${code}`, `${what}.`, providerCode)
}
