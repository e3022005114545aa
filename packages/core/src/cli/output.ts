import { formatProblem, PackError } from '@linli/rules'

/** Writes one JSON document to stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`)
}

/** Writes a line to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Writes a message for people to stderr. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Says what went wrong, without a stack. */
export function reportFailure(error: unknown): void {
  if (error instanceof PackError) {
    for (const problem of error.problems) tell(formatProblem(problem))
    const count = error.problems.filter((problem) => problem.severity === 'error').length
    return tell(`${count} ${count === 1 ? 'problem' : 'problems'}; nothing was loaded.`)
  }
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (code === 'ENOENT') return tell(`linli: there is no such file: ${(error as { path?: string }).path}`)
  tell(`linli: ${String(message ?? error)}${typeof code === 'string' ? ` (${code})` : ''}`)
}

/** Shows progress on one line of a terminal; elsewhere says only the last word. */
export class Progress {
  private readonly live = process.stderr.isTTY === true
  private last = 0

  show(text: () => string): void {
    const now = Date.now()
    if (!this.live || now - this.last < 100) return
    this.last = now
    process.stderr.write(`\r\u001b[K${text()}`)
  }

  end(text: string): void {
    process.stderr.write(this.live ? `\r\u001b[K${text}\n` : `${text}\n`)
  }
}
