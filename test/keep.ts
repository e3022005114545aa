import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** One thing the keeper process does now (`start`) or when the run is over (`directory`, `drop`). See keeper.js. */
export interface Order {
  /** Removed at the end. */
  directory?: string
  /** A server to run until the end, its output appended to `log`. */
  start?: {
    command: string
    args: string[]
    cwd: string
    env: Record<string, string>
    log: string
    uid?: number
    gid?: number
  }
  /** A database to drop at the end, and where to connect to do so. */
  drop?: { url: string; name: string }
}

export interface Keeper {
  tell(order: Order): void
  /** How often a server it started has ended by itself. */
  readonly serverExits: number
  /** Has everything cleaned up and waits for it. */
  finish(): Promise<void>
}

/** Starts the process that cleans up when this one ends, even by SIGKILL. */
export function startKeeper(): Keeper {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./keeper.js', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  let serverExits = 0
  child.stdout.on('data', (chunk: Buffer) => {
    serverExits += chunk.toString().split('\n').length - 1
  })
  const exited = once(child, 'exit')

  // A program that forgets to finish() must still be able to end; ending closes the pipe, which is all it takes.
  const streams = [child.stdin, child.stdout] as unknown as { ref(): void; unref(): void }[]
  child.unref()
  for (const stream of streams) stream.unref()

  return {
    tell: (order) => child.stdin.write(`${JSON.stringify(order)}\n`),
    get serverExits() {
      return serverExits
    },
    async finish() {
      child.ref()
      child.stdin.end()
      const [code] = await exited
      if (code !== 0) throw new Error(`test/keeper.js ended with code ${code}: its cleaning up may be incomplete.`)
    },
  }
}
