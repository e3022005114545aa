import { vi } from 'vitest'
import { run } from '../src/cli/main.js'

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `linli` with these arguments in this process, and keeps what it writes. */
export async function linli(...args: readonly string[]): Promise<CommandResult> {
  const [stdout, stderr] = [captured('stdout'), captured('stderr')]
  try {
    const code = await run(args)
    return { code, stdout: stdout.text(), stderr: stderr.text() }
  } finally {
    stdout.end()
    stderr.end()
    process.exitCode = undefined
  }
}

function captured(name: 'stdout' | 'stderr') {
  const parts: string[] = []
  const spy = vi.spyOn(process[name], 'write').mockImplementation((part) => {
    parts.push(String(part))
    return true
  })
  return { text: () => parts.join(''), end: () => spy.mockRestore() }
}
