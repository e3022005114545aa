import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`packages/${path}`, import.meta.url))

/** Each adapter by its name, where its package says that it is built to. */
const { exports: adapters } = JSON.parse(readFileSync(source('adapters/package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly default?: string }>>
}
const adapterSources = Object.entries(adapters).flatMap(([name, { default: built }]) =>
  built === undefined
    ? []
    : [
        {
          find: `@linli/adapters${name.slice(1)}`,
          replacement: source(`adapters/${built.replace('./dist/', 'src/').replace(/js$/, 'ts')}`),
        },
      ],
)

export default defineConfig({
  resolve: {
    // Tests run the sources, not what was last built.
    alias: [
      { find: /^@linli\/rules$/, replacement: source('rules/src/index.ts') },
      { find: /^@linli\/core$/, replacement: source('core/src/index.ts') },
      { find: /^@linli\/core\/testing$/, replacement: source('core/src/testing/index.ts') },
      ...adapterSources,
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
