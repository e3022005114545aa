import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`packages/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    // Tests run the sources, not what was last built.
    alias: [
      { find: /^@linli\/rules$/, replacement: source('rules/src/index.ts') },
      { find: /^@linli\/core$/, replacement: source('core/src/index.ts') },
      { find: /^@linli\/core\/testing$/, replacement: source('core/src/testing/index.ts') },
      { find: /^@linli\/adapters\/([a-z0-9-]+)$/, replacement: source('adapters/src/channels/$1/index.ts') },
    ],
  },
  test: {
    include: ['packages/**/src/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['test/postgres.ts', 'test/redis.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // A process runs one file after another and loads the sources once. Each takes away what it replaces.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    // A busy machine may let a process wait for more than the second that is the default.
    expect: { poll: { timeout: 20_000 } },
  },
})
