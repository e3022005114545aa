/** Nobody waits any longer. */
export class OutOfTime extends Error {
  constructor() {
    super('It took too long.')
    this.name = 'OutOfTime'
  }
}

/** Waits for a call, but no longer than so many milliseconds: then its signal is aborted. @throws {OutOfTime} */
export async function inTime<T>(ms: number, call: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      abort.abort()
      reject(new OutOfTime())
    }, ms)
  })
  try {
    return await Promise.race([call(abort.signal), late])
  } finally {
    clearTimeout(timer)
  }
}
