export type Json = Readonly<Record<string, unknown>>

/** Steps, cases and variants with ids: `s1`, `s2` … as one reads them. */
export function numbered(steps: readonly Json[]): readonly Json[] {
  let last = 0
  const inner = (one: Json): Json => {
    const { waitFor, branch, split, on, then, else: otherwise, ...rest } = one
    const many = (waitFor as Json | undefined)?.['any']
    return {
      ...rest,
      ...(waitFor !== undefined && {
        waitFor: many === undefined ? waitFor : { ...(waitFor as Json), any: (many as Json[]).map(named('c')) },
      }),
      ...(branch !== undefined && { branch: (branch as Json[]).map(inner) }),
      ...(split !== undefined && { split: (split as Json[]).map(named('v')) }),
      ...(on !== undefined && {
        on: Object.fromEntries(Object.entries(on as Json).map(([outcome, steps]) => [outcome, list(steps)])),
      }),
      ...(then !== undefined && { then: list(then) }),
      ...(otherwise !== undefined && { else: list(otherwise) }),
    }
  }
  const named = (letter: string) => (one: Json, index: number) => ({ id: `${letter}${index}`, ...inner(one) })
  const list = (all: unknown) => (all as Json[]).map((one) => ({ id: `s${++last}`, ...inner(one) }))
  return list(steps)
}

/** Without the members that are undefined: JSON has none. */
export function defined(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}
