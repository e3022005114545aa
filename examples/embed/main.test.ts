import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, loadPack } from '@linli/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

const rules = `${import.meta.dirname}/rules`
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linli-embed-'))
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

it('the example program takes events in, does the work, and keeps both when it is told to stop', async () => {
  vi.stubEnv('RULES', rules)
  vi.stubEnv('DATABASE_URL', folder)
  vi.stubEnv('PORT', '0')
  const printed: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const known = process.listeners('SIGTERM')

  await import('./main.js')
  await vi.waitFor(() => expect(log).toHaveBeenCalled())
  const [, address] = log.mock.calls[0] ?? []
  const { port } = address as AddressInfo
  const body = JSON.stringify([{ event: 'member_joined', messageId: 'm1', userId: 'u1' }])
  expect((await fetch(`http://127.0.0.1:${port}/events`, { method: 'POST', body })).status).toBe(200)
  await vi.waitFor(() => expect(printed.join('')).toContain('欢迎！见面券'), { timeout: 20_000 })

  const stop = process.listeners('SIGTERM').find((listener) => !known.includes(listener))
  stop?.('SIGTERM')
  const engine = await vi.waitFor(
    async () => createEngine({ rules: await loadPack(rules), channels: consoles(), database: folder }),
    { timeout: 20_000 },
  )
  expect(await engine.deliveries({ subject: ['user', 'u1'], state: 'accepted' })).toHaveLength(2)
  await engine.close()
}, 90_000)

function consoles() {
  return ['wechat-miniprogram', 'sms'].map((name) => ({
    name,
    repeat: { kind: 'none' } as const,
    send: () => Promise.resolve({ status: 'accepted' } as const),
  }))
}
