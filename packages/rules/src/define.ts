import { type Pack, readPack } from './pack.js'
import { PackError, Problems } from './problems.js'
import { compilePack } from './program/compile.js'

/** A pack from objects written in code. Throws `PackError` with everything that is wrong, as `loadPack` does. */
export function definePack(definitions: readonly unknown[]): Pack {
  const problems = new Problems()
  const pack = readPack([{ file: '(code)', value: definitions }], problems)
  compilePack(pack, problems)
  if (problems.hasErrors) throw new PackError(problems.list)
  return pack
}
