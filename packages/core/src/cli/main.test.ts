import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { atLeast, tag } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'

const scratch = scratchFolder()
const BIN = fileURLToPath(new URL('../../bin/linli.js', import.meta.url))
const isBuilt = existsSync(fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url)))
if (!isBuilt) console.warn('SKIPPED: the real linli command; it is not built. Run "npm run build" first.')

describe('linli', () => {
  it('without a command, or with one that there is not, shows its help on stderr and ends with 1', async () => {
    for (const args of [[], ['frobnicate']]) {
      const { code, stdout, stderr } = await linli(...args)

      expect(code).toBe(1)
      expect(stdout).toBe('')
      expect(stderr).toContain('simulate')
    }
  })

  it('--help shows its help on stdout and ends with 0', async () => {
    const { code, stdout } = await linli('--help')

    expect(code).toBe(0)
    for (const command of ['check', 'schema', 'simulate', 'explain']) expect(stdout).toContain(command)
  })

  it('without what a command needs says what is missing', async () => {
    expect(await linli('check')).toMatchObject({ code: 1, stderr: expect.stringContaining('pack') })
    expect(await linli('simulate', '--rules', 'x')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--events'),
    })
  })
})

describe('linli schema', () => {
  it('prints the JSON Schema of a whole rule file', async () => {
    const { code, stdout } = await linli('schema')

    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' })
  })

  it('prints the JSON Schema of one kind', async () => {
    const { code, stdout } = await linli('schema', 'journey')

    expect(code).toBe(0)
    expect(stdout).toContain('waitFor')
  })

  it('of a kind that there is not says which there are', async () => {
    const { code, stderr } = await linli('schema', 'campaign')

    expect(code).toBe(1)
    expect(stderr).toContain('journey')
  })
})

describe.skipIf(!isBuilt)('the real command', () => {
  it('simulates: the document on stdout, words for people on stderr', async () => {
    const rules = scratch.rules('tags.json', tag('once', atLeast(1, 'order')))
    // Without a zone it is UTC, wherever the machine stands.
    const events = scratch.events('events.ndjson', {
      event: 'order',
      userId: 'u1',
      messageId: 'm1',
      timestamp: '2026-03-01T08:00:00',
    })

    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [BIN, 'simulate', '--rules', rules, '--events', events, '--json'],
      { env: { ...process.env, TZ: 'Asia/Shanghai' } },
    )

    expect(JSON.parse(stdout)).toMatchObject({
      events: { total: 1, accepted: 1 },
      until: '2026-03-01T08:00:00.000Z',
      tags: { once: { members: 1 } },
    })
    expect(stderr).toMatch(/^1 events in /)
  })

  it('ends with 1 and no stack when it cannot do what was asked', async () => {
    const failing = promisify(execFile)(process.execPath, [
      BIN,
      'simulate',
      '--rules',
      scratch.path('no'),
      '--events',
      'no',
    ])

    await expect(failing).rejects.toMatchObject({ code: 1, stdout: '', stderr: expect.not.stringMatching(/\n\s+at /) })
  })
})
