import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadPack } from '@linli/rules'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import { EngineError } from '../errors.js'
import type { Channel } from '../ports/channel.js'
import type { CouponIssuer } from '../ports/issuer.js'
import { UnsubscribeTokens } from '../privacy/unsubscribe.js'
import { tell } from './output.js'

interface WorkerFlags {
  readonly db: string
  readonly redis?: string
  readonly redisPrefix?: string
  readonly rules: readonly string[]
  readonly channels: string
  readonly health?: number
  readonly keepDeliveries?: string
  readonly keepDecisions?: string
}

export function workerCommand(): Command {
  return new Command('worker')
    .description('Do the work of engines on a database: as many as you like, until SIGTERM or SIGINT.')
    .addOption(new Option('--db <url>', 'the database: postgres://… or a folder').makeOptionMandatory())
    .option('--redis <url>', 'Redis, by which workers share the work')
    .option('--redis-prefix <name>', 'what keys in Redis begin with, one for each database (default: "linli")')
    .option('--rules <pack...>', '"published", or folders or files of rules to publish', ['published'])
    .requiredOption(
      '--channels <file>',
      'a module whose default export is a list of channels, or a function that gives one; and "issuers", where offers name some',
    )
    .option(
      '--keep-deliveries <time>',
      'forget deliveries that have ended after this time, such as 180d; never when left out',
    )
    .option(
      '--keep-decisions <time>',
      'forget decisions about what happened longer ago than this, such as 400d; never when left out',
    )
    .option('--health <port>', 'answer GET /health on this port', portOf)
    .action(work)
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

async function work({
  db,
  redis,
  redisPrefix: prefix,
  rules,
  channels,
  health,
  keepDeliveries,
  keepDecisions,
}: WorkerFlags): Promise<void> {
  const isPublished = rules.length === 1 && rules[0] === 'published'
  const engine = await createEngine({
    rules: isPublished ? 'published' : await loadPack(...rules),
    ...(await loadProviders(channels)),
    database: db,
    retention: {
      ...(keepDeliveries !== undefined && { deliveries: keepDeliveries }),
      ...(keepDecisions !== undefined && { decisions: keepDecisions }),
    },
    ...unsubscribeOf(process.env['LINLI_UNSUBSCRIBE_SECRETS']),
    ...(redis !== undefined && { redis: { url: redis, ...(prefix !== undefined && { prefix }) } }),
    onError: (error) => tell(`linli worker: ${textOf(error)}`),
  })
  const server = health === undefined ? undefined : await serveHealth(engine, health)
  engine.start()
  const told = untilTold()
  tell('linli worker: at work')
  await told
  tell('linli worker: ends what is under way')
  server?.close()
  await engine.close()
}

/** Secrets come by the environment: who lists processes reads their arguments. */
function unsubscribeOf(secrets: string | undefined): { readonly unsubscribe?: UnsubscribeTokens } {
  return secrets === undefined ? {} : { unsubscribe: new UnsubscribeTokens(secrets.trim().split(/\s+/)) }
}

function textOf(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  return `${String(message ?? error)}${typeof code === 'string' ? ` (${code})` : ''}`
}

/** Resolves when the process is told to end. Told again, it ends at once. */
function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    let times = 0
    const told = () => {
      times += 1
      if (times > 1) process.exit(1)
      resolve()
    }
    process.on('SIGTERM', told).on('SIGINT', told)
  })
}

interface Provided {
  readonly channels: readonly Channel[]
  readonly issuers: readonly CouponIssuer[]
}

async function loadProviders(file: string): Promise<Provided> {
  const module = (await import(pathToFileURL(path.resolve(file)).href)) as Readonly<Record<string, unknown>>
  const [channels, issuers] = [await given(module['default']), await given(module['issuers'] ?? [])]
  if (isListOf(channels, isChannel) && isListOf(issuers, isIssuer)) return { channels, issuers }
  const message = `The default export of ${file} must be a list of channels, or a function that gives one; "issuers", where it is exported, the same of issuers.`
  throw new EngineError('channel.invalid', message, { file })
}

function given(exported: unknown): unknown {
  return typeof exported === 'function' ? exported() : exported
}

function isListOf<T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne)
}

function isChannel(value: unknown): value is Channel {
  const { name, repeat, send } = (value ?? {}) as Partial<Channel>
  return typeof name === 'string' && typeof repeat === 'object' && typeof send === 'function'
}

function isIssuer(value: unknown): value is CouponIssuer {
  const { name, repeat, issue } = (value ?? {}) as Partial<CouponIssuer>
  return typeof name === 'string' && typeof repeat === 'object' && typeof issue === 'function'
}

/** Answers `GET /health`: 200 when the engine is well, else 503, and why. */
async function serveHealth(engine: Engine, port: number): Promise<Server> {
  const server = createServer(async ({ method, url }, response) => {
    if (method !== 'GET' || url !== '/health') {
      response.writeHead(404).end()
      return
    }
    const health = await engine.health()
    response.writeHead(health.ok ? 200 : 503, { 'content-type': 'application/json' }).end(`${JSON.stringify(health)}\n`)
  })
  server.listen(port)
  await once(server, 'listening')
  const address = server.address()
  tell(`linli worker: GET /health on port ${typeof address === 'object' ? address?.port : port}`)
  return server
}
