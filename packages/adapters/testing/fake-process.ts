import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { FakeFault, FakeRequest } from '../src/testing/fake-server.js'

const BIN = fileURLToPath(new URL('../bin/linli-fake.js', import.meta.url))

/** A stand-in in a process of its own, as `linli-fake` starts it. */
export class FakeProcess<About = Readonly<Record<string, unknown>>> {
  private constructor(
    private readonly child: ChildProcess,
    /** What it says of itself. */
    readonly about: About,
  ) {}

  static async start<About>(provider: string, ...args: readonly string[]): Promise<FakeProcess<About>> {
    const child = spawn(process.execPath, [BIN, provider, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    return new FakeProcess(child, JSON.parse(line) as About)
  }

  async next(url: string, fault: FakeFault | number, path?: string): Promise<void> {
    await fetch(new URL('/-/next', url), { method: 'POST', body: JSON.stringify({ fault, path }) })
  }

  async requests(url: string): Promise<readonly FakeRequest[]> {
    return (await (await fetch(new URL('/-/requests', url))).json()) as readonly FakeRequest[]
  }

  /** Ends it as an operating system does. Gives its exit code. */
  async stop(): Promise<number | null> {
    const ended = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    const [code] = (await ended) as [number | null]
    return code
  }
}

/** Runs `linli-fake` to its end: what it says on stderr, and its exit code. */
export async function runFake(...args: readonly string[]): Promise<{ readonly said: string; readonly code: number }> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  return { said, code }
}
