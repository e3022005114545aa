import type {} from 'vitest'
import type { TestProject } from 'vitest/node'
import { isSet } from './environment.js'
import { NoRedisError, startPrivateRedis } from './private-redis.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A Redis in which tests use a prefix of their own; undefined when this machine has none. */
    redisUrl: string | undefined
  }
}

/** Gives the tests a Redis: that of REDIS_URL, else a private server from programs of this machine. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['REDIS_URL'] ?? ''
  if (given !== '') {
    project.provide('redisUrl', given)
    process.stderr.write('Tests use the Redis of REDIS_URL\n')
    return undefined
  }
  try {
    const server = await startPrivateRedis()
    project.provide('redisUrl', server.url)
    process.stderr.write(`Tests use ${server.source}\n`)
    return () => server.stop()
  } catch (error) {
    if (!(error instanceof NoRedisError)) throw error
    if (isSet('CI'))
      throw new Error(`The tests need Redis: ${error.message}. Install it, or set REDIS_URL.`, { cause: error })
    process.stderr.write(`REDIS TESTS ARE SKIPPED: ${error.message}. Install it, or set REDIS_URL.\n`)
    project.provide('redisUrl', undefined)
    return undefined
  }
}
