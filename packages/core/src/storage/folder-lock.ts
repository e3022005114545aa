import { closeSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { EngineError } from '../errors.js'

/** Who holds a folder. */
interface Holder {
  readonly pid: number
  /** Tells the process from a later one with the same pid, where the system says it. */
  readonly startedAt: string
  readonly host: string
}

const LOCK_FILE = 'linli.lock'
const TAKEOVER_FILE = 'linli.lock.takeover'

/**
 * Makes this process the only one that works on a folder, and gives what ends that. PGlite does not look whether
 * another process has the same files open, and both would overwrite each other's data.
 *
 * @throws EngineError `database.locked` while another process, or another engine of this one, holds the folder.
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true })
  const lock = path.join(folder, LOCK_FILE)
  const mine = JSON.stringify(self())
  if (!create(lock, mine)) takeOver(folder, mine)

  const release = () => {
    process.off('exit', release)
    if (read(lock) === mine) unlinkSync(lock)
  }
  process.on('exit', release)
  return release
}

// Two processes may find the same dead holder. Only one at a time may look again and replace it.
function takeOver(folder: string, mine: string): void {
  const lock = path.join(folder, LOCK_FILE)
  const guard = path.join(folder, TAKEOVER_FILE)
  refuseIfHeld(folder, lock)
  if (!create(guard, mine)) {
    refuseIfHeld(folder, guard)
    remove(guard)
    if (!create(guard, mine)) throw lockedBy(folder, guard, parse(read(guard)))
  }
  try {
    refuseIfHeld(folder, lock)
    remove(lock)
    if (!create(lock, mine)) throw lockedBy(folder, lock, parse(read(lock)))
  } finally {
    remove(guard)
  }
}

function refuseIfHeld(folder: string, file: string): void {
  const holder = parse(read(file))
  if (holder !== undefined && isAlive(holder)) throw lockedBy(folder, file, holder)
}

function lockedBy(folder: string, file: string, holder: Holder | undefined): EngineError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`
  return new EngineError(
    'database.locked',
    `The folder ${path.resolve(folder)} is in use by ${who}. A folder serves one engine at a time: close the other one, ` +
      `use a folder of your own, or use PostgreSQL, which serves many. If that process is surely gone, delete ${file}.`,
    { folder: path.resolve(folder), pid: holder?.pid, host: holder?.host },
  )
}

function isAlive({ pid, startedAt, host }: Holder): boolean {
  // Processes of another machine or container cannot be seen from here.
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false
  }
  const started = startOf(pid)
  return started === '' || startedAt === '' || started === startedAt
}

function self(): Holder {
  return { pid: process.pid, startedAt: startOf(process.pid), host: hostname() }
}

/** When a process began, in the system's own words; empty where the system does not tell. */
function startOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // The name, in parentheses, may hold anything; the start is the twentieth field after it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return `${boot}/${fields[19]}`
  } catch {
    return ''
  }
}

/** False when the file is there already. */
function create(file: string, text: string): boolean {
  try {
    const handle = openSync(file, 'wx')
    try {
      writeSync(handle, text)
    } finally {
      closeSync(handle)
    }
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function remove(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

function parse(text: string | undefined): Holder | undefined {
  try {
    return JSON.parse(text ?? '') as Holder
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
