import { describe, expect, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { atLeast, tag } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'

const scratch = scratchFolder()

function rulesWith(...expected: readonly unknown[]) {
  const given = [{ at: '1h', user: 'u1', event: 'order' }]
  const test = { kind: 'test', id: 'one-order', given, expect: expected }
  return scratch.rules('rules.json', tag('buyer', atLeast(1, 'order')), test)
}

describe('linli test', () => {
  it('says that tests pass', async () => {
    const { code, stdout, stderr } = await linli('test', rulesWith({ tag: 'buyer', user: 'u1' }))

    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '✓ one-order\n', stderr: '1 test, 0 failed\n' })
  })

  it('exits with 1 when one fails, and says what and why', async () => {
    const { code, stdout, stderr } = await linli('test', rulesWith({ tag: 'buyer', user: 'u1', is: false }))

    expect(code).toBe(1)
    expect(stdout).toMatch(/✗ one-order\n {4}user:u1 at \S+ should not have the tag "buyer"\.\n.*#\/1\/expect\/0\n/)
    expect(stdout).toContain('number of order ≥ 1')
    expect(stderr).toBe('1 test, 1 failed\n')
  })

  it('prints one JSON document', async () => {
    const { code, stdout } = await linli('test', '--json', rulesWith({ never: 'tag.added' }))

    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, tests: 1, failed: 1, results: [{ id: 'one-order' }] })
  })

  it('runs nothing of a pack that is not right', async () => {
    const { code, stderr } = await linli('test', rulesWith({ tag: 'byer', user: 'u1' }))

    expect(code).toBe(1)
    expect(stderr).toContain('Did you mean "buyer"?')
  })
})
