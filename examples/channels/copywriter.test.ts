import { fileURLToPath } from 'node:url'
import { startFakeModel } from '@linli/adapters/testing'
import { memoryChannel } from '@linli/core/testing'
import { afterAll, expect, it, vi } from 'vitest'
import { engineThatWrites } from './copywriter.js'

afterAll(() => vi.unstubAllEnvs())

const rules = fileURLToPath(new URL('copywriter-rules', import.meta.url))
const events = [
  { type: 'identify' as const, messageId: 'm1', userId: 'u1', traits: { name: '王阿姨', phone: '13800000000' } },
  { event: 'product_launched', messageId: 'm2', userId: 'u1', properties: { productName: '红富士' } },
]

async function bodies(): Promise<readonly string[]> {
  const sms = memoryChannel({ name: 'sms' })
  const engine = await engineThatWrites(rules, [sms])
  await engine.ingest(events)
  await engine.settle()
  await engine.close()
  return sms.sent.map(({ content }) => content.body)
}

it('a neighbour gets a sentence of her own, and the fallback where no model is', async () => {
  const model = await startFakeModel({ write: () => '王阿姨，红富士脆甜，来尝一口吧' })

  expect(await bodies()).toEqual(['王阿姨，今天的红富士可以试吃，来尝尝吧。\n今日到货：红富士，拒收请回复R'])
  vi.stubEnv('MODEL_URL', model.url)
  expect(await bodies()).toEqual(['王阿姨，红富士脆甜，来尝一口吧\n今日到货：红富士，拒收请回复R'])

  expect(JSON.stringify(model.asked)).not.toContain('13800000000')
  await model.close()
})
