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

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}
