import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineError } from '../errors.js'
import { lockFolder } from './folder-lock.js'
import { openStore } from './open.js'

let folder: string
const children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'linli-lock-'))
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Another process that holds the folder's lock, without a database. */
async function holder(): Promise<ChildProcess> {
  const script = `
    const { mkdirSync, writeFileSync } = require('node:fs')
    const { hostname } = require('node:os')
    mkdirSync(process.argv[1], { recursive: true })
    writeFileSync(process.argv[1] + '/linli.lock', JSON.stringify({ pid: process.pid, startedAt: '', host: hostname() }))
    console.log('holds')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['-e', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(createInterface(child.stdout), 'line')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function refusal(): EngineError {
  try {
    lockFolder(folder)()
  } catch (error) {
    if (error instanceof EngineError) return error
    throw error
  }
  throw new Error('The folder was not refused.')
}

describe('the lock of a folder', () => {
  it('refuses a second engine of the same process, and names the folder and what to do', () => {
    const release = lockFolder(folder)
    const error = refusal()
    expect(error.code).toBe('database.locked')
    expect(error.facts).toMatchObject({ folder, pid: process.pid })
    expect(error.message).toContain(folder)
    expect(error.message).toContain(`process ${process.pid}`)
    expect(error.message).toContain('use PostgreSQL')
    release()
    lockFolder(folder)()
    expect(readdirSync(folder)).toEqual([])
  })

  it('refuses while another process holds it, and takes it over when that was killed', async () => {
    const child = await holder()
    expect(refusal().facts).toMatchObject({ pid: child.pid })
    await kill(child)
    const release = lockFolder(folder)
    expect(readdirSync(folder)).toEqual(['linli.lock'])
    release()
  })

  it('is not fooled by a process that has the pid of a dead holder', () => {
    const lock = JSON.stringify({ pid: process.pid, startedAt: 'long ago', host: hostname() })
    writeFileSync(path.join(folder, 'linli.lock'), lock)
    if (process.platform === 'linux') lockFolder(folder)()
    else expect(refusal().code).toBe('database.locked')
  })

  it('refuses a folder that another machine holds: nobody can see from here whether it lives', () => {
    const lock = JSON.stringify({ pid: 1, startedAt: '', host: 'another-machine' })
    writeFileSync(path.join(folder, 'linli.lock'), lock)
    expect(refusal().message).toContain('on another-machine')
    expect(refusal().message).toContain(`delete ${path.join(folder, 'linli.lock')}`)
  })

  it('takes over a lock that was never written to its end', () => {
    writeFileSync(path.join(folder, 'linli.lock'), '{"pid":')
    writeFileSync(path.join(folder, 'linli.lock.takeover'), '')
    lockFolder(folder)()
    expect(readdirSync(folder)).toEqual([])
  })

  it('leaves a lock alone that is no longer its own', () => {
    const release = lockFolder(folder)
    const other = JSON.stringify({ pid: 1, startedAt: '', host: 'another-machine' })
    writeFileSync(path.join(folder, 'linli.lock'), other)
    release()
    expect(readdirSync(folder)).toEqual(['linli.lock'])
  })

  it('leaves no listener behind when it is released', () => {
    const before = process.listenerCount('exit')
    lockFolder(folder)()
    expect(process.listenerCount('exit')).toBe(before)
  })
})

/** A process that opens a store in the folder, and says each event that it was told is kept. */
function writer(): ChildProcess {
  const script = `
    import { openStore } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
    const store = await openStore(process.argv[1])
    await store.migrate()
    for (let index = 0; ; index++) {
      const event = { messageId: 'm-' + index, type: 'track', event: 'e', userId: 'u-1', at: index, receivedAt: 0, properties: {} }
      await store.transaction((tx) => tx.addEvents([event]))
      console.log(index)
    }`
  const loader = new URL('../../../../test/run-sources.js', import.meta.url).href
  const child = spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return child
}

describe('a store in a folder', () => {
  it('refuses a second process, and has all that was acknowledged after the first was killed', async () => {
    const child = writer()
    let acknowledged = 0
    const lines = createInterface(child.stdout as Readable)
    lines.on('line', () => acknowledged++)
    await expect.poll(() => acknowledged, { timeout: 90_000 }).toBeGreaterThan(20)

    await expect(openStore(folder)).rejects.toMatchObject({ code: 'database.locked', facts: { pid: child.pid } })
    const ended = Promise.all([once(lines, 'close'), once(child, 'exit')])
    child.kill('SIGKILL')
    await ended

    const store = await openStore(folder)
    await store.migrate()
    const kept = (await store.readEvents({ userIds: ['u-1'] })).length
    // The last one may have been kept although the process died before it could say so.
    expect(kept - acknowledged).toBeOneOf([0, 1])
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'database.locked', facts: { pid: process.pid } })
    await store.close()
    expect(readdirSync(folder)).toEqual(['postgres'])
  }, 120_000)
})
