import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { type CheckOptions, checkMeaning } from './checks/meaning.js'
import { type Pack, type PackSource, readPack } from './pack.js'
import { inReadingOrder, PackError, type Problem, Problems } from './problems.js'
import { compilePack } from './program/compile.js'

/** The largest rule file that is read, in bytes. */
const LARGEST_FILE = 4 * 1024 * 1024

/** A pack that was looked at: all problems and, when none of them is an error, the pack. */
export interface PackCheck {
  readonly pack: Pack | undefined
  readonly problems: readonly Problem[]
  /** How many files were read. */
  readonly files: number
}

/**
 * Reads a pack from folders and files: every `.json` below a folder, in any layout. Throws `PackError` with everything
 * that is wrong, each with its file and place; nothing of a pack is loaded unless all of it is right.
 */
export async function loadPack(...paths: readonly string[]): Promise<Pack> {
  const { pack, problems } = await checkPack(...paths)
  if (pack === undefined) throw new PackError(problems)
  return pack
}

/** Like `loadPack`, but gives what is wrong instead of throwing it, warnings too. */
export async function checkPack(...paths: readonly string[]): Promise<PackCheck>
/** The same, with what is known of the host that the pack is for. */
export async function checkPack(paths: readonly string[], options: CheckOptions): Promise<PackCheck>
export async function checkPack(
  first: string | readonly string[] = [],
  second: string | CheckOptions = {},
  ...more: readonly string[]
): Promise<PackCheck> {
  if (typeof second === 'string') return check([first, second, ...more].flat(), {})
  return check([first].flat(), second)
}

async function check(paths: readonly string[], options: CheckOptions): Promise<PackCheck> {
  const problems = new Problems()
  const files = (await Promise.all(paths.map((path) => filesBelow(path, problems)))).flat()
  const sources = (await Promise.all(files.map((file) => readSource(file, problems)))).filter(
    (one) => one !== undefined,
  )
  if (files.length === 0 && !problems.hasErrors) {
    const place = { file: paths.join(', '), pointer: '' }
    problems.error(place, 'pack.empty', 'There is no .json file here.')
  }
  const pack = readPack(sources, problems)
  checkMeaning(pack, compilePack(pack, problems), problems, options)
  return { pack: problems.hasErrors ? undefined : pack, problems: inReadingOrder(problems.list), files: files.length }
}

/** The rule files of a path: the file itself, or every `.json` below a folder save in hidden folders and node_modules. */
async function filesBelow(path: string, problems: Problems): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.name.endsWith('.json') && (entry.isFile() || entry.isSymbolicLink()))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => relative(path, file).split(sep).every(isRuleName))
      .sort()
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read'
    problems.error({ file: path, pointer: '' }, 'file.unreadable', `This file or folder ${reason}.`)
    return []
  }
}

function isRuleName(name: string): boolean {
  return !name.startsWith('.') && name !== 'node_modules'
}

async function readSource(file: string, problems: Problems): Promise<PackSource | undefined> {
  const place = { file, pointer: '' }
  const bytes = await readFile(file).catch(() => undefined)
  if (bytes === undefined) {
    problems.error(place, 'file.unreadable', 'This file cannot be read.')
    return undefined
  }
  if (bytes.length > LARGEST_FILE) {
    const found = `${bytes.length} bytes`
    problems.error(place, 'file.large', `A rule file has at most ${LARGEST_FILE} bytes; split it.`, { found })
    return undefined
  }
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  try {
    return { file, value: JSON.parse(text) as unknown }
  } catch (error) {
    problems.error(place, 'file.syntax', `This is not JSON: ${syntaxReason(error, text)}.`)
    return undefined
  }
}

/** What JSON.parse found wrong, with line and column where it says so. */
function syntaxReason(error: unknown, text: string): string {
  if (!(error instanceof SyntaxError)) return 'it nests too deep'
  if (text.trim() === '') return 'the file is empty'
  const at = /\bat position (\d+)/.exec(error.message)?.[1]
  // Messages quote the text around the place, which may be of several lines.
  const reason = error.message.replace(/ in JSON at position.*$| at position.*$| is not valid JSON$/s, '')
  if (at === undefined) return reason.replace(/\s+/g, ' ')
  const before = text.slice(0, Number(at)).split('\n')
  return `${reason} at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}
