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
    globalSetup: ['test/postgres.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
})
