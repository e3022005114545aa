import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from './free-port.js'
import { type Keeper, startKeeper } from './keep.js'
import { findPostgresBinaries, type PostgresPreference, type RunAs } from './postgres-binaries.js'

const run = promisify(execFile)
const startAttempts = 3
const startTimeoutMs = 60_000

export interface PrivatePostgresOptions {
  /** Leave fsync on, as a production server has it: for measuring and for crash tests. Default false. */
  durable?: boolean
  /** `local`: only programs of this machine. `embedded`: only those from npm. Default: local, else embedded. */
  prefer?: PostgresPreference
}

export interface PrivatePostgres {
  /** Superuser, database `postgres`. */
  url: string
  /** For people: version and origin of the server programs. */
  source: string
  /** Ends the server as a crash does, and starts it again at once: sessions are lost, and nothing that was committed. */
  crash(): Promise<void>
  /** Stops the server and deletes all it wrote. This happens too when the process ends without calling it. */
  stop(): Promise<void>
}

/** This machine has no PostgreSQL programs that we can run. */
export class NoPostgresError extends Error {
  override readonly name = 'NoPostgresError'
}

/** Starts a PostgreSQL server of our own: temporary directory, free port of 127.0.0.1, random password. */
export async function startPrivatePostgres(options: PrivatePostgresOptions = {}): Promise<PrivatePostgres> {
  const runAs = await serverUser()
  const keeper = startKeeper()
  try {
    const directory = await workDirectory(runAs)
    keeper.tell({ directory })
    const binaries = await findPostgresBinaries(options.prefer, runAs, directory)
    if ('reasons' in binaries) throw new NoPostgresError(binaries.reasons.join('; '))

    const password = randomBytes(18).toString('hex')
    await initialise(binaries.bin, directory, password, runAs)
    const server: Server = { keeper, bin: binaries.bin, directory, password, runAs, durable: options.durable ?? false }
    const port = await start(server)
    return {
      url: serverUrl(port, password),
      source: binaries.source,
      crash: () => crash(server, port),
      stop: () => keeper.finish(),
    }
  } catch (error) {
    await keeper.finish()
    throw error
  }
}

/** When we are root: an unprivileged user that exists on this machine. */
async function serverUser(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {}
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find(([name]) => name === wanted) ?? []
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new NoPostgresError(
    'PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to run it as',
  )
}

async function workDirectory({ uid, gid }: RunAs): Promise<string> {
  // TMPDIR may lie where the server's user cannot enter; /tmp is open to all.
  const parent = uid === undefined ? tmpdir() : '/tmp'
  const directory = await mkdtemp(path.join(parent, 'linli-pg-'))
  await chmod(directory, 0o700)
  if (uid !== undefined && gid !== undefined) await chown(directory, uid, gid)
  return directory
}

async function initialise(bin: string, directory: string, password: string, runAs: RunAs): Promise<void> {
  const passwordFile = path.join(directory, 'password')
  await writeFile(passwordFile, password)
  if (runAs.uid !== undefined && runAs.gid !== undefined) await chown(passwordFile, runAs.uid, runAs.gid)
  const args = ['--pgdata=data', '--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  await run(path.join(bin, 'initdb'), [...args, '--encoding=UTF8', '--locale=C', '--no-sync'], {
    cwd: directory,
    env: serverEnvironment(),
    ...runAs,
  })
}

interface Server {
  readonly keeper: Keeper
  readonly bin: string
  readonly directory: string
  readonly password: string
  readonly runAs: RunAs
  readonly durable: boolean
}

/** Answers the port. A port found free may be taken before the server binds it, hence several attempts. */
async function start(server: Server): Promise<number> {
  for (let attempt = 1; attempt <= startAttempts; attempt++) {
    const port = await freePort()
    if (await startOn(server, port)) return port
  }
  throw await didNotStart(server)
}

/** Whether the server has come to answer on this port. */
async function startOn({ keeper, bin, directory, password, runAs, durable }: Server, port: number): Promise<boolean> {
  const exitsBefore = keeper.serverExits
  const args = ['-D', 'data', ...serverSettings(directory, port, durable)]
  const log = path.join(directory, 'server.log')
  const env = serverEnvironment()
  keeper.tell({ start: { command: path.join(bin, 'postgres'), args, cwd: directory, env, log, ...runAs } })
  const giveUpAt = performance.now() + startTimeoutMs
  while (keeper.serverExits === exitsBefore && performance.now() < giveUpAt) {
    if (await answers(serverUrl(port, password))) return true
    await sleep(50)
  }
  return false
}

async function crash(server: Server, port: number): Promise<void> {
  const exitsBefore = server.keeper.serverExits
  const [pid] = (await readFile(path.join(server.directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')
  process.kill(Number(pid), 'SIGQUIT')
  while (server.keeper.serverExits === exitsBefore) await sleep(10)
  if (!(await startOn(server, port))) throw await didNotStart(server)
}

async function didNotStart({ bin, directory }: Server): Promise<Error> {
  const said = await readFile(path.join(directory, 'server.log'), 'utf8').catch(() => '')
  return new Error(`A private PostgreSQL (${bin}) did not start. Its log ends:\n${said.slice(-2000)}`)
}

function serverSettings(directory: string, port: number, durable: boolean): string[] {
  // A socket's path must fit in about 100 bytes; without one the server is reached by TCP alone.
  const sockets = Buffer.byteLength(directory) < 80 ? directory : ''
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: sockets,
    max_connections: 100,
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** PG* variables of the caller (PGDATA, PGPORT, …) point at other servers. */
function serverEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && !name.startsWith('LC_'))
  return { ...(Object.fromEntries(kept) as Record<string, string>), LC_ALL: 'C' }
}

// sslmode is said outright because PGSSLMODE in the environment would otherwise decide.
function serverUrl(port: number, password: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres?sslmode=disable`
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
