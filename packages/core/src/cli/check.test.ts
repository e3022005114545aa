import { describe, expect, it } from 'vitest'
import { linli } from '../../testing/command-line.js'
import { atLeast, count, journey, send, tag, tagged, template } from '../../testing/rules.js'
import { scratchFolder } from '../../testing/scratch.js'

const scratch = scratchFolder()
const GOOD = tag('regular', atLeast(2, 'order', { within: '30d' }))
const BAD = tag('odd', { fact: 'eventCont', operator: 'equal', value: 1, params: { event: 'order' } })

describe('linli check', () => {
  it('of a good pack says so and ends with 0', async () => {
    scratch.rules('tags.json', GOOD)

    expect(await linli('check', scratch.folder)).toEqual({
      code: 0,
      stdout: '',
      stderr: '1 files, 0 errors, 0 warnings\n',
    })
  })

  it('of a bad pack names file, place and what would be right, and ends with 1', async () => {
    const file = scratch.rules('tags.json', GOOD, BAD)

    const { code, stdout, stderr } = await linli('check', file)

    expect(code).toBe(1)
    expect(stdout).toContain('fact.unknown')
    expect(stdout).toContain('tags.json')
    expect(stdout).toContain('/1/conditions/fact')
    expect(stdout).toContain('eventCount')
    expect(stderr).toBe('1 files, 1 error, 0 warnings\n')
  })

  it('warns without failing', async () => {
    const file = scratch.rules('journeys.json', template('hello'), journey('remind', [send('push')]))

    const { code, stderr } = await linli('check', file)

    expect(code).toBe(0)
    expect(stderr).toBe('1 files, 0 errors, 1 warning\n')
  })

  it('names the tags that depend on each other in a circle, in their order', async () => {
    const file = scratch.rules('tags.json', tag('a', tagged('b')), tag('b', { not: tagged('a') }))

    const { code, stdout } = await linli('check', file)

    expect(code).toBe(1)
    expect(stdout).toContain('error tag.cycle')
    expect(stdout).toContain('#/0/conditions')
    expect(stdout).toContain('These tags depend on each other in a circle: a -> b -> a.')
  })

  it('names both of two conditions that contradict each other', async () => {
    const never = { all: [atLeast(5, 'order', { within: '7d' }), count('order', 'lessThan', 3, { within: '30d' })] }
    const file = scratch.rules('tags.json', tag('odd', never))

    const { code, stdout } = await linli('check', file)

    expect(code).toBe(1)
    expect(stdout).toContain('error condition.never')
    expect(stdout).toContain('to be at least 5 (#/0/conditions/all/0)')
    expect(stdout).toContain('to be less than 3 (#/0/conditions/all/1)')
  })

  it('with --channels knows the channels that there are', async () => {
    const consent = { kind: 'policy', id: 'consent', consent: {} }
    const steps = [send('hello', { channel: ['sms', 'pusch'] })]
    const file = scratch.rules('journeys.json', template('hello'), journey('remind', steps), consent)

    expect(await linli('check', file)).toMatchObject({ code: 0, stdout: '' })
    expect(await linli('check', file, '--channels', 'pusch,sms')).toMatchObject({ code: 0, stdout: '' })

    const { code, stdout } = await linli('check', file, '--channels', 'sms, push')
    expect(code).toBe(1)
    expect(stdout).toContain('error channel.unknown')
    expect(stdout).toContain('There are: sms, push. Did you mean "push"?')
  })

  it('refuses --channels without a name between two commas', async () => {
    const { code, stderr } = await linli('check', scratch.rules('tags.json', GOOD), '--channels', 'sms,,push')

    expect(code).toBe(1)
    expect(stderr).toContain('Names of channels have commas between them')
  })

  it('with --json prints exactly one JSON document', async () => {
    const file = scratch.rules('tags.json', BAD)

    const { code, stdout } = await linli('check', file, '--json')

    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      files: 1,
      errors: 1,
      warnings: 0,
      problems: [{ code: 'fact.unknown', pointer: '/0/conditions/fact' }],
    })
  })

  it('checks several packs together', async () => {
    const tags = scratch.rules('tags.json', GOOD)
    const more = scratch.rules('more.json', GOOD)

    const { code, stdout } = await linli('check', tags, more, '--json')

    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ files: 2, problems: [{ code: 'id.duplicate' }] })
  })

  it('of a file that is no JSON, or is not there, says so without a stack', async () => {
    const broken = scratch.write('broken.json', '[{')

    for (const file of [broken, scratch.path('nothing.json')]) {
      const { code, stdout, stderr } = await linli('check', file)

      expect(code).toBe(1)
      expect(stdout).toContain(file)
      expect(stdout + stderr).not.toMatch(/\n\s+at /)
    }
  })
})
