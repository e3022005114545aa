import { parseArgs } from 'node:util'
import { startFakeAliyunSms } from './fake-aliyun-sms.js'
import { startFakeMiniProgram } from './fake-miniprogram.js'
import { startFakeModel } from './fake-model.js'
import { startFakeSmtp } from './fake-smtp.js'
import { startFakeTencentSms } from './fake-tencent-sms.js'
import { startFakeWechatPay } from './fake-wechat-pay.js'
import { startFakeWecom } from './fake-wecom.js'

/** A stand-in that listens, and what a client has to know of it. */
interface Started {
  readonly about: Readonly<Record<string, unknown>>
  close(): Promise<void>
}

type Start = (port: number | undefined) => Promise<Started>

/** Stand-ins that can run as a process of their own. */
const FAKES: Readonly<Record<string, Start>> = {
  wecom: async (port) => {
    const robot = 'fake-robot-key'
    const fake = await startFakeWecom({ ...at(port), robots: [robot] })
    const { url, corpId, secret } = fake
    return { about: { url, corpId, secret, robot }, close: () => fake.close() }
  },
  'wechat-miniprogram': async (port) => {
    const fake = await startFakeMiniProgram({ ...at(port), allowed: 1000 })
    const { url, appId, secret } = fake
    return { about: { url, appId, secret }, close: () => fake.close() }
  },
  'wechat-pay': async (port) => {
    const fake = await startFakeWechatPay(at(port))
    const { url, appId, merchant, platformKeys } = fake
    return { about: { url, appId, merchant, platformKeys }, close: () => fake.close() }
  },
  'aliyun-sms': async (port) => {
    const fake = await startFakeAliyunSms(at(port))
    return { about: { url: fake.url, ...fake.credentials }, close: () => fake.close() }
  },
  'tencent-sms': async (port) => {
    const fake = await startFakeTencentSms(at(port))
    return { about: { url: fake.url, ...fake.credentials }, close: () => fake.close() }
  },
  smtp: async (port) => {
    const fake = await startFakeSmtp(at(port))
    const { host, port: listening } = fake
    return { about: { host, port: listening }, close: () => fake.close() }
  },
  model: async (port) => {
    const fake = await startFakeModel({ ...at(port), write: (instructions) => instructions })
    return { about: { url: fake.url }, close: () => fake.close() }
  },
}

function at(port: number | undefined): { readonly port?: number } {
  return port === undefined ? {} : { port }
}

/**
 * `linli-fake <provider> [--port N]`: a stand-in for a provider, until it is ended by a signal. One line of JSON on stdout says
 * where it listens, and by which credentials it is called. They are made up; nothing of it reaches anybody.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { port: { type: 'string' } },
    allowPositionals: true,
  })
  const [name = ''] = positionals
  const start = Object.hasOwn(FAKES, name) ? FAKES[name] : undefined
  const port = values.port === undefined ? undefined : Number(values.port)
  const isPort = port === undefined || (Number.isInteger(port) && port >= 0 && port < 65_536)
  if (start === undefined || positionals.length !== 1 || !isPort) {
    console.error(`usage: linli-fake <provider> [--port N]\nproviders: ${Object.keys(FAKES).join(', ')}`)
    process.exitCode = 2
    return
  }
  const { about, close } = await start(port)
  // Before it says that it is there: whoever reads that may end it at once.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close())
  console.log(JSON.stringify({ provider: name, ...about }))
}
