import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const packages = new URL('../packages/', import.meta.url)
const doors = {
  '@linli/rules': 'rules/src/index.ts',
  '@linli/core': 'core/src/index.ts',
  '@linli/core/testing': 'core/src/testing/index.ts',
}

export async function resolve(specifier, context, next) {
  const door = doors[specifier]
  if (door !== undefined) return { url: new URL(door, packages).href, shortCircuit: true }
  if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts')) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL)
    if (existsSync(source)) return { url: source.href, shortCircuit: true }
  }
  return next(specifier, context)
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true }
  const { outputText } = ts.transpileModule(readFileSync(fileURLToPath(url), 'utf8'), { compilerOptions })
  return { format: 'module', source: outputText, shortCircuit: true }
}
