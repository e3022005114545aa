import { parseObject } from '../http/json.js'
import { type FakeFault, FakeServer } from './fake-server.js'

export interface FakeModel {
  /** What `baseUrl` is to be. */
  readonly url: string
  /** The bodies of all requests that came with the right key. */
  readonly asked: readonly Readonly<Record<string, unknown>>[]
  /** What befalls the next request. */
  next(fault: FakeFault): void
  close(): Promise<void>
}

export interface FakeModelOptions {
  /** The key it wants; left out: none. */
  readonly apiKey?: string
  /** What it writes, asked with these instructions. */
  readonly write: (instructions: string) => string
  /** Why it stops writing. Default `stop`. */
  readonly finishReason?: string
  readonly port?: number
}

/** A language model on this machine, by the wire format of OpenAI's chat completions. */
export async function startFakeModel({
  apiKey,
  write,
  finishReason = 'stop',
  port,
}: FakeModelOptions): Promise<FakeModel> {
  const asked: Readonly<Record<string, unknown>>[] = []
  const server = new FakeServer(({ method, path, headers, body }) => {
    if (method !== 'POST' || path !== '/v1/chat/completions')
      return { status: 404, body: { error: { code: 'not_found' } } }
    if (apiKey !== undefined && headers['authorization'] !== `Bearer ${apiKey}`) {
      return { status: 401, body: { error: { code: 'invalid_api_key' } } }
    }
    const request = parseObject(body)
    const messages = request?.['messages']
    if (request === undefined || !Array.isArray(messages))
      return { status: 400, body: { error: { code: 'invalid_request' } } }
    asked.push(request)
    const content = write(String(messages.at(-1)?.content))
    const message = { role: 'assistant', content }
    return { body: { object: 'chat.completion', choices: [{ index: 0, message, finish_reason: finishReason }] } }
  })
  const url = await server.listen(port)
  return { url: `${url}/v1`, asked, next: (fault) => server.next(fault), close: () => server.close() }
}
