import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach } from 'vitest'

/** A folder for the files of one test, removed after it. Call it where tests are declared. */
export function scratchFolder(): Scratch {
  const scratch = new Scratch()
  afterEach(() => scratch.remove())
  return scratch
}

export class Scratch {
  #folder: string | undefined

  get folder(): string {
    this.#folder ??= mkdtempSync(path.join(tmpdir(), 'linli-test-'))
    return this.#folder
  }

  path(name: string): string {
    return path.join(this.folder, name)
  }

  /** Writes a rule file. */
  rules(name: string, ...rules: readonly unknown[]): string {
    return this.write(name, JSON.stringify(rules))
  }

  /** Writes an event file, one object or one text a line; gzipped when it is called so. */
  events(name: string, ...lines: readonly unknown[]): string {
    const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')
    return this.write(name, name.endsWith('.gz') ? gzipSync(text) : text)
  }

  write(name: string, content: string | Buffer): string {
    writeFileSync(this.path(name), content)
    return this.path(name)
  }

  remove(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true })
    this.#folder = undefined
  }
}
