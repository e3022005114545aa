import { openaiCopywriter } from '@linli/adapters/openai'
import { type Channel, createEngine } from '@linli/core'
import { loadPack } from '@linli/rules'

/** An engine whose texts are written by a model. Without `MODEL_URL`, all leave with their fallbacks. */
export async function engineThatWrites(rules: string, channels: readonly Channel[]) {
  const { MODEL_URL: baseUrl, MODEL_NAME: model = 'deepseek-chat', MODEL_KEY: apiKey } = process.env
  return createEngine({
    rules: await loadPack(rules),
    channels,
    ...(baseUrl && { copywriter: openaiCopywriter({ baseUrl, model, ...(apiKey && { apiKey }) }) }),
  })
}
