import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkPack, loadPack } from './loader.js'
import { definitionsOf } from './pack.js'
import { formatProblem, PackError } from './problems.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linli-pack-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function write(name: string, content: unknown): Promise<string> {
  const file = join(folder, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const tag = (id: string) => ({ kind: 'tag', id })

/** What is wrong, as people read it, with the folder's name left out. */
async function report(...paths: string[]): Promise<string> {
  const { problems } = await checkPack(...paths)
  return problems.map(formatProblem).join('\n').replaceAll(folder, '')
}

describe('loadPack', () => {
  it('reads every .json below a folder, one object or a list each, in any layout', async () => {
    await write('a.json', tag('a'))
    await write('deep/er/b.json', [tag('b'), { kind: 'template', id: 't', body: 'x' }])
    await write('notes.md', '# notes')
    const pack = await loadPack(folder)
    expect(definitionsOf(pack).map(({ kind, id }) => `${kind} ${id}`)).toEqual(['tag a', 'tag b', 'template t'])
  })

  it('reads single files, and several paths as one pack', async () => {
    const pack = await loadPack(await write('one.json', tag('a')), await write('two/two.json', tag('b')))
    expect(pack.tags.map(({ definition }) => definition.id)).toEqual(['a', 'b'])
  })

  it('leaves out hidden folders and node_modules, and follows links to files', async () => {
    await write('.vscode/settings.json', { not: 'a rule' })
    await write('node_modules/x/package.json', { name: 'x' })
    await write('..data/a.json', tag('a'))
    await symlink(join(folder, '..data/a.json'), join(folder, 'a.json'))
    expect((await checkPack(folder)).files).toBe(1)
    expect(await report(folder)).toBe('')
  })

  it('accepts a byte order mark', async () => {
    await write('a.json', `\uFEFF${JSON.stringify(tag('a'))}`)
    expect((await loadPack(folder)).tags).toHaveLength(1)
  })

  it('throws one error with everything that is wrong, and loads nothing', async () => {
    await write('a.json', [tag('a'), { kind: 'tag', id: 'b', conditions: { any: [] } }])
    await write('b.json', { kind: 'tga', id: 'c' })
    const error: unknown = await loadPack(folder).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(PackError)
    const { code, problems, message } = error as PackError
    expect(code).toBe('pack.invalid')
    expect(problems.map((problem) => problem.code)).toEqual(['conditions.emptyAny', 'kind.unknown'])
    expect(message).toMatch(/^The rule pack has 2 problems; nothing of it was loaded\.\n/)
  })

  it('gives warnings without refusing the pack', async () => {
    const send = { template: 't', channel: 'sms', class: 'promotion' }
    const entry = { on: 'event', event: 'paid' }
    const steps = [
      { id: 's', send },
      { id: 'e', exit: {} },
      { id: 'f', wait: '1d' },
    ]
    await write('a.json', [
      { kind: 'template', id: 't', body: 'x' },
      { kind: 'journey', id: 'j', entry, steps },
      { kind: 'condition', id: 'c', conditions: { all: [] } },
    ])
    const { pack, problems } = await checkPack(folder)
    expect(pack).toBeDefined()
    expect(problems.map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`)).toEqual([
      'warning policy.noConsent /1',
      'warning step.unreachable /1/steps/2',
      'warning condition.unused /2',
    ])
  })
})

describe('files that are not right', () => {
  it('names the line and column of a mistake in the JSON', async () => {
    await write('a.json', '{\n  "kind": "tag",\n}')
    expect(await report(folder)).toMatch(
      /^error file\.syntax {2}\/a\.json\n {2}This is not JSON: .*line 3, column 1\.$/,
    )
  })

  it.each([
    ['', 'the file is empty'],
    ['not json', "Unexpected token 'o'"],
    ['{"kind": "tag"', ''],
  ])('says of %j that it is not JSON', async (text, reason) => {
    await write('a.json', text)
    expect(await report(folder)).toContain(`This is not JSON: ${reason}`)
  })

  it('reports a folder without rule files, and one that does not exist', async () => {
    expect(await report(folder)).toBe('error pack.empty  \n  There is no .json file here.')
    expect(await report(join(folder, 'rules'))).toBe(
      'error file.unreadable  /rules\n  This file or folder does not exist.',
    )
  })

  it('refuses JSON that nests 100,000 deep', async () => {
    await write('a.json', '['.repeat(100_000) + ']'.repeat(100_000))
    await write('b.json', `${'{"all":['.repeat(50_000)}${']}'.repeat(50_000)}`)
    const { problems } = await checkPack(folder)
    expect(problems.map(({ code }) => code)).toEqual(['file.depth', 'file.depth'])
    expect(problems.map(({ pointer }) => pointer.split('/').length)).toEqual([66, 66])
  })

  it('refuses a file of more than 4 MiB', async () => {
    await write('a.json', JSON.stringify({ ...tag('a'), description: 'x'.repeat(5_000_000) }))
    expect(await report(folder)).toBe(
      'error file.large  /a.json\n  A rule file has at most 4194304 bytes; split it.\n  found: "5000040 bytes"',
    )
  })

  it('names both places of an id that two files have', async () => {
    await write('a.json', tag('a'))
    await write('b.json', [tag('a')])
    expect(await report(folder)).toBe(
      'error id.duplicate  /b.json#/0/id\n  There is already a tag "a", at /a.json.\n  found: "a"',
    )
  })

  it('refuses prototype keys as JSON writes them', async () => {
    await write('a.json', '{"kind":"tag","id":"a","__proto__":{"admin":true}}')
    expect(await report(folder)).toBe(
      'error key.forbidden  /a.json#/__proto__\n  This key is never allowed.\n  found: "__proto__"',
    )
  })

  it('says how large a text is shortened to', async () => {
    await write('a.json', { ...tag('a'), name: 'x'.repeat(1_000_000) })
    expect(await report(folder)).toBe(
      `error value.invalid  /a.json#/name\n  This text has at most 200 characters.\n  found: "${'x'.repeat(76)}...`,
    )
  })
})
