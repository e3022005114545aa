/** An object that answers with its own methods first, and with the original's where it has none. */
export function delegate<T extends object>(original: T, own: Partial<T>): T {
  return new Proxy(original, {
    get: (target, name) => {
      const source = Object.hasOwn(own, name) ? own : target
      const value: unknown = Reflect.get(source, name, source)
      return typeof value === 'function' ? value.bind(source) : value
    },
  })
}
