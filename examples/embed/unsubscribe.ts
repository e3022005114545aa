import { createServer, type Server } from 'node:http'
import { type Engine, EngineError, type UnsubscribeTokens } from '@linli/core'

/** The page behind the links in messages. To look at it changes nothing; its button unsubscribes. */
export function createUnsubscribePage(engine: Engine, tokens: UnsubscribeTokens): Server {
  return createServer(async ({ method, url = '' }, response) => {
    const token = new URLSearchParams(url.split('?')[1]).get('t') ?? ''
    try {
      if (method === 'POST') await engine.unsubscribe(token)
      else tokens.read(token)
      response.writeHead(200, HEADERS).end(method === 'POST' ? DONE : QUESTION)
    } catch (error) {
      const isWrong = error instanceof EngineError && error.code === 'unsubscribe.token'
      response.writeHead(isWrong ? 404 : 503, HEADERS).end()
    }
  })
}

/** The address is a key: it goes neither to other sites nor into caches. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}
const DONE = '<p>已退订。'
const QUESTION = '<form method="post"><button>不再接收这类消息</button></form>'
