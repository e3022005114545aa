/** A signal that is aborted with `outer`, or after `ms` milliseconds. `clear` leaves no timer and no listener. */
export interface Deadline {
  readonly signal: AbortSignal
  clear(): void
}

export function startDeadline(outer: AbortSignal, ms: number): Deadline {
  const controller = new AbortController()
  const abort = () => controller.abort(coded('ABORTED'))
  const timer = setTimeout(() => controller.abort(coded('TIMEOUT')), ms)
  outer.addEventListener('abort', abort, { once: true })
  if (outer.aborted) abort()
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer)
      outer.removeEventListener('abort', abort)
    },
  }
}

/** Rejects with the signal's reason when it is aborted first. Not all work can be told to stop. */
export function beforeAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject)
  })
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}
