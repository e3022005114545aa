import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { journey, nest, problemsOf, steps, tag, template } from '../testing/packs.js'
import { jsonSchema } from './json-schema.js'
import { DEFINITION_KINDS } from './schemas/definitions.js'

const folders = ['docs/examples/', 'packages/rules/packs/'].map((path) => new URL(`../../../${path}`, import.meta.url))

/** Every rule file that the documentation and the packs of this repository have. */
const files = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ name, value: JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as unknown })),
)

const validate = new Ajv2020().compile(jsonSchema())

describe('the JSON Schema of rules', () => {
  it.each(files)('accepts $name', ({ value }) => {
    expect(validate(value), JSON.stringify(validate.errors)).toBe(true)
  })

  it('accepts a history without an id', () => {
    expect(validate({ kind: 'history', keep: '400d' })).toBe(true)
    expect(validate({ kind: 'history' })).toBe(false)
  })

  it('offers the events that shops have in common, and takes any other', () => {
    const schema = JSON.stringify(jsonSchema('tag'))
    expect(schema.match(/"examples":\["app_opened"/g)?.length).toBeGreaterThan(0)
    const own = { fact: 'eventCount', operator: 'equal', value: 0, params: { event: 'dumplings_folded' } }
    expect(validate(tag(own as never))).toBe(true)
  })

  it('covers a good number of files', () => {
    expect(files.length).toBeGreaterThan(10)
  })

  it.each(DEFINITION_KINDS)('has one of its own for each kind: %s', (kind) => {
    const ofKind = new Ajv2020().compile(jsonSchema(kind))
    for (const { value } of files) {
      for (const object of [value].flat() as { kind: string }[]) expect(ofKind(object)).toBe(object.kind === kind)
    }
  })

  it.each([
    ['a misspelt key', tag(undefined, { conditons: {} })],
    ['an unknown verb', steps({ id: 'x', sned: {} })],
    ['two verbs', steps({ id: 'x', wait: '1d', exit: {} })],
    ['a missing key', steps({ id: 'x', send: { template: 't' } })],
    ['a text where a number is right', { kind: 'offer', id: 'o', total: '5' }],
    [
      'a wrong step deep inside',
      journey({ steps: nest(5, [{ id: 'x' }], (inner) => [{ id: 'w', issue: { offer: 'o' }, else: inner }]) }),
    ],
    ['conditions of no form', tag({ all: [{ al: [] }] })],
    ['a term of no form', { kind: 'score', id: 's', terms: [{ points: 1 }] }],
    ['a crossing of no score', journey({ entry: { on: 'score.crossed', above: 1 } })],
    ['an unknown kind', { kind: 'tga', id: 'x' }],
    ['an empty template', template('')],
  ])('refuses %s, as the check does', (_, rule) => {
    expect(validate(rule)).toBe(false)
    expect(problemsOf(rule)).not.toEqual([])
  })
})
