import { fileURLToPath } from 'node:url'
import { loadHttpChannels } from '@linli/adapters/http'
import type { Channel } from '@linli/core'

/** Channels that are files: each JSON in the folder is one. Secrets come from the environment, by the names that files say. */
export function declaredChannels(secrets = process.env): Promise<readonly Channel[]> {
  return loadHttpChannels(fileURLToPath(new URL('declared', import.meta.url)), { secrets })
}
