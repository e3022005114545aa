import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { describe, expect, inject, it } from 'vitest'

const postgresUrl = inject('postgresUrl')
const redisUrl = inject('redisUrl')
const name = `embedding_${randomBytes(6).toString('hex')}`

// A host as small as can be. Nothing ends it but that nothing is left to do.
const HOST = `
  const watched = { globalThis, Object, Array, Function, Promise, String, Number, Date, JSON, Math, Reflect, Map, Set, RegExp, Error,
    console, process, fetch: globalThis.fetch, ...Object.fromEntries(
      [Object, Array, Function, Promise, String, Number, Date, Map, Set, RegExp, Error].map((one) => [one.name + '.prototype', one.prototype])) }
  // What Node makes when it is first asked for is there from now on.
  for (const name of Object.getOwnPropertyNames(globalThis)) void globalThis[name]
  for (const name of Object.getOwnPropertyNames(process)) void process[name]
  const parts = () => new Map(Object.entries(watched).flatMap(([name, of]) => Reflect.ownKeys(of).map((key) => {
    const { value, get, set } = Object.getOwnPropertyDescriptor(of, key)
    return [name + '.' + String(key), [typeof value === 'object' || typeof value === 'function' ? value : typeof value, get, set]]
  })))
  const changed = (before, after) => [...new Set([...before.keys(), ...after.keys()])].filter((key) =>
    [0, 1, 2].some((part) => before.get(key)?.[part] !== after.get(key)?.[part]))
  const listeners = () => Object.fromEntries([process, process.stdout, process.stderr].flatMap((emitter, index) =>
    emitter.eventNames().map((event) => [index + String(event), emitter.listenerCount(event)])))

  // Libraries add names of their own there: zod its registry, tslib (by BullMQ) its helpers. They replace nothing.
  let exits = 0
  const exit = process.exit
  process.exit = () => { exits += 1 }
  const [before, heard] = [parts(), listeners()]
  const { createEngine, definePack } = await import('@linli/core')
  const { database, schema, redis } = JSON.parse(process.argv[1])
  let sent = 0
  const sms = { name: 'sms', repeat: { kind: 'none' }, send: async () => { sent += 1; return { status: 'accepted' } } }
  const rules = definePack([
    { kind: 'template', id: 'hello', body: 'Hello' },
    { kind: 'journey', id: 'remind', entry: { on: 'event', event: 'cart' }, steps: [
      { id: 'push', send: { template: 'hello', channel: 'sms', class: 'service' } }, { id: 'then', wait: '30d' } ] } ])
  const engine = await createEngine({ rules, channels: [sms], database, ...(schema && { schema }), ...(redis && { redis }) })
  engine.start()
  await engine.ingest([{ event: 'cart', userId: 'u1', messageId: 'm1' }])
  while (sent === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  await engine.close()
  console.log(JSON.stringify({ sent, exits, patched: changed(before, parts()).filter((name) => !(name.startsWith('globalThis.__') && !before.has(name))), heard, hears: listeners() }))
  process.exit = exit`

const estates = [
  ['in memory', { database: 'memory' }, true],
  ['on PostgreSQL', { database: postgresUrl, schema: name }, postgresUrl !== undefined],
  [
    'on PostgreSQL and Redis',
    { database: postgresUrl, schema: `${name}_r`, redis: { url: redisUrl ?? '', prefix: name } },
    postgresUrl !== undefined && redisUrl !== undefined,
  ],
] as const

describe('a program with an engine', () => {
  for (const [where, options, isThere] of estates) {
    it.skipIf(!isThere)(
      `${where} is as it was once the engine is closed, and ends by itself`,
      async () => {
        const loader = new URL('../../../test/run-sources.js', import.meta.url).href
        const args = ['--import', loader, '--input-type=module', '-e', HOST, JSON.stringify(options)]
        // Where something is left to do, it is killed in the end, and this rejects.
        const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 150_000 })

        const { sent, exits, patched, heard, hears } = JSON.parse(stdout) as Record<string, unknown>
        expect({ sent, exits, patched }).toEqual({ sent: 1, exits: 0, patched: [] })
        expect(hears).toEqual(heard)
      },
      180_000,
    )
  }
})
