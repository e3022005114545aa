import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Channel } from '@linli/core'
import { DeclarationError } from '../../declared/declaration.js'
import { ADAPTER } from './answers.js'
import { type HttpChannelOptions, httpChannel } from './channel.js'

/**
 * The channels that the `.json` files of a folder declare, in the order of their names.
 *
 * @throws {DeclarationError} With the problems of all files, so that one look shows all of them.
 * @throws What the file system says where the folder cannot be read.
 * @example
 * export default await loadHttpChannels('channels', { secrets: process.env }) // linli worker --channels channels.js
 */
export async function loadHttpChannels(
  folder: string,
  options: Omit<HttpChannelOptions, 'file'> = {},
): Promise<readonly Channel[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')))
  const read = files.map((file, index) => channelIn(texts[index] ?? '', { ...options, file }))
  const problems = read.flatMap((one) => ('problems' in one ? one.problems : []))
  if (problems.length > 0) throw new DeclarationError(ADAPTER, problems)
  return read.flatMap((one) => ('problems' in one ? [] : [one]))
}

function channelIn(
  text: string,
  options: HttpChannelOptions & { readonly file: string },
): Channel | Pick<DeclarationError, 'problems'> {
  try {
    return httpChannel(JSON.parse(text), options)
  } catch (error) {
    if (error instanceof DeclarationError) return error
    const message = 'The file is no JSON.'
    return { problems: [{ code: 'json.invalid', severity: 'error', file: options.file, pointer: '', message }] }
  }
}
