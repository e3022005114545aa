const packages = new URL('../packages/', import.meta.url)
const doors = {
  '@linli/rules': 'rules/src/index.ts',
  '@linli/core': 'core/src/index.ts',
  '@linli/core/testing': 'core/src/testing/index.ts',
}

export function resolve(specifier, context, next) {
  const door = doors[specifier]
  return next(door === undefined ? specifier : new URL(door, packages).href, context)
}
