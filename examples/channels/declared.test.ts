import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { DeclarationError, httpChannel } from '@linli/adapters/http'
import { type FakeAnswer, FakeServer } from '@linli/adapters/testing'
import type { Outbound } from '@linli/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { declaredChannels } from './declared.js'

const folder = fileURLToPath(new URL('declared', import.meta.url))
const secrets = { DINGTALK_TOKEN: 'ding-token', FEISHU_HOOK: 'feishu-hook' }
let answer: FakeAnswer = {}
const server = new FakeServer(() => answer)
let url = ''
beforeAll(async () => {
  url = await server.listen()
})
afterAll(() => server.close())

const message: Outbound = {
  deliveryKey: 'd-1',
  channel: 'x',
  class: 'service',
  to: { kind: 'leader', id: 'l1', traits: { barkKey: 'k1' } },
  content: { template: 't', title: '到货', body: '3 号楼的菜到了' },
  source: { journey: 'j', run: 'r', step: 's' },
}

/** Sends by a file of the folder, to a server here instead of the one it names. */
async function sendBy(file: string, given: FakeAnswer) {
  answer = given
  const text = await readFile(`${folder}/${file}`, 'utf8')
  const declared = JSON.parse(text.replace(/https:\/\/[^/"]+/, url)) as unknown
  const ports = [Number(new URL(url).port)]
  const channel = httpChannel(declared, { secrets, ports, allowInsecureHttp: true, allowPrivateNetwork: true })
  const result = await channel.send(message, { attempt: 1, at: new Date(), signal: new AbortController().signal })
  const { path, query, body } = server.requests.at(-1) ?? { body: 'null' }
  return { result, path, query, body: JSON.parse(body) as unknown }
}

it('the folder gives three channels, by the names in its files', async () => {
  expect((await declaredChannels(secrets)).map(({ name }) => name)).toEqual(['bark', 'dingtalk', 'feishu'])
})

it('a secret that is missing is told with its file, and nothing is loaded', async () => {
  const loading = declaredChannels({ DINGTALK_TOKEN: 'x' })
  await expect(loading).rejects.toBeInstanceOf(DeclarationError)
  await expect(loading).rejects.toMatchObject({ problems: [{ code: 'secret.missing', file: 'feishu.json' }] })
})

it.each([
  ['dingtalk.json', { errcode: 0 }, 'accepted'],
  ['dingtalk.json', { errcode: 130101 }, 'deferred'],
  ['dingtalk.json', { errcode: 310000 }, 'refused'],
  ['feishu.json', { code: 0 }, 'accepted'],
  ['feishu.json', { code: 11232 }, 'deferred'],
  ['feishu.json', { code: 19024 }, 'refused'],
  ['bark.json', { code: 200 }, 'accepted'],
])('%s understands %j as %s', async (file, body, status) => {
  expect((await sendBy(file, { body })).result).toMatchObject({ status })
})

it('requests look as the providers want them', async () => {
  expect(await sendBy('dingtalk.json', { body: { errcode: 0 } })).toMatchObject({
    path: '/robot/send',
    query: { access_token: 'ding-token' },
    body: { msgtype: 'markdown', markdown: { title: '到货', text: '【邻里】3 号楼的菜到了' } },
  })
  expect(await sendBy('feishu.json', { body: { code: 0 } })).toMatchObject({
    path: '/open-apis/bot/v2/hook/feishu-hook',
    body: { msg_type: 'text', content: { text: '到货\n3 号楼的菜到了' } },
  })
  const bark = await sendBy('bark.json', { body: { code: 200 } })
  expect(bark.body).toEqual({ device_key: 'k1', title: '到货', body: '3 号楼的菜到了' })
})
