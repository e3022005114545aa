import { createServer, type Server } from 'node:http'
import { aliyunSms, aliyunSmsCallbacks, nodeListener } from '@linli/adapters/aliyun-sms'
import { createEngine, type Engine, loadPack } from '@linli/core'

/** An engine that sends text messages by Aliyun. */
export async function startShop(rules: string, baseUrl?: string): Promise<Engine> {
  const sms = aliyunSms({
    accessKeyId: process.env['ALIYUN_ACCESS_KEY_ID'] ?? '',
    accessKeySecret: process.env['ALIYUN_ACCESS_KEY_SECRET'] ?? '',
    signName: '邻里生鲜',
    ...(baseUrl !== undefined && { baseUrl }),
  })
  return createEngine({
    rules: await loadPack(rules),
    channels: [sms],
    database: process.env['DATABASE_URL'] ?? 'memory',
  })
}

/** Where Aliyun posts reports and answers: `https://shop.example.com/aliyun/SECRET`. */
export function createCallbackServer(engine: Engine): Server {
  const secret = process.env['ALIYUN_CALLBACK_SECRET'] ?? '' // openssl rand -hex 16
  return createServer(nodeListener(aliyunSmsCallbacks({ engine, secret, onError: console.error })))
}
