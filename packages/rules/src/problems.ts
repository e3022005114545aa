/** Something wrong in a pack, said so that its author can put it right. */
export interface Problem {
  /** A stable name, such as `fact.unknown`. */
  readonly code: string
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** JSON Pointer into the file. */
  readonly pointer: string
  readonly message: string
  /** What stands there, shortened. */
  readonly found?: string
  /** The nearest right name, where there is one. */
  readonly suggestion?: string
}

/** Where in a pack's files a value stands. */
export interface Place {
  readonly file: string
  readonly pointer: string
}

/** Collects what is wrong with a pack. Checking goes on after a problem, so that the author sees all of them. */
export class Problems {
  readonly list: Problem[] = []
  private readonly seen = new Set<string>()
  private readonly refused = new Set<string>()

  /** An object that is in the pack but is not right: references to it are no problem of their own. */
  refuse(kind: string, id: string): void {
    this.refused.add(`${kind} ${id}`)
  }

  /** A reference to something of the pack that is not there. */
  unknown(place: Place, kind: string, id: string, known: Iterable<string>, message: string): void {
    if (this.refused.has(`${kind} ${id}`)) return
    this.error(place, `${kind}.unknown`, message, { found: id, name: id, known })
  }

  error(place: Place, code: string, message: string, extra: ProblemExtra = {}): void {
    this.add('error', place, code, message, extra)
  }

  warning(place: Place, code: string, message: string, extra: ProblemExtra = {}): void {
    this.add('warning', place, code, message, extra)
  }

  get hasErrors(): boolean {
    return this.list.some((problem) => problem.severity === 'error')
  }

  private add(severity: Problem['severity'], place: Place, code: string, message: string, extra: ProblemExtra): void {
    const name = [code, place.file, place.pointer, message].join('\n')
    if (this.seen.has(name)) return
    this.seen.add(name)
    const suggestion = typeof extra.name === 'string' ? nearest(extra.name, extra.known ?? []) : undefined
    this.list.push({
      code,
      severity,
      file: place.file,
      pointer: place.pointer,
      message: suggestion === undefined ? message : `${message} Did you mean ${JSON.stringify(suggestion)}?`,
      ...(extra.found === undefined ? {} : { found: excerpt(extra.found) }),
      ...(suggestion === undefined ? {} : { suggestion }),
    })
  }
}

interface ProblemExtra {
  readonly found?: unknown
  /** A name that is not known, and the names that are: the nearest becomes the suggestion. What is no text is near to none. */
  readonly name?: unknown
  readonly known?: Iterable<string>
}

/** By file and place, elements of a list in their order. */
export function inReadingOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => compareText(a.file, b.file) || comparePointers(a.pointer, b.pointer))
}

function comparePointers(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')]
  const differing = left.findIndex((token, index) => token !== right[index])
  const [x = '', y = ''] = [left[differing], right[differing]]
  return differing < 0 ? left.length - right.length : Number(x) - Number(y) || compareText(x, y)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** A pack that was refused whole, with everything that is wrong with it. */
export class PackError extends Error {
  readonly code = 'pack.invalid'

  readonly problems: readonly Problem[]

  constructor(found: readonly Problem[]) {
    const problems = inReadingOrder(found)
    const errors = problems.filter((problem) => problem.severity === 'error')
    super(
      `The rule pack has ${errors.length} ${errors.length === 1 ? 'problem' : 'problems'}; nothing of it was loaded.\n` +
        errors.map(formatProblem).join('\n'),
    )
    this.name = 'PackError'
    this.problems = problems
  }
}

/** A place as text: the file, and where in it. */
export function placeText({ file, pointer }: Place): string {
  return pointer === '' ? file : `${file}#${pointer}`
}

/** One problem as text: place, what is wrong, what stands there. */
export function formatProblem(problem: Problem): string {
  const found = problem.found === undefined ? '' : `\n  found: ${problem.found}`
  return `${problem.severity} ${problem.code}  ${placeText(problem)}\n  ${problem.message}${found}`
}

/** Longer names are compared with nothing: it would take long, and nobody misspells them. */
const LONGEST_NAME = 120

/** The known name that differs least from `name`, or begins with it; undefined when none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  if (name.length > LONGEST_NAME) return undefined
  let bestDistance = Math.min(Math.max(2, Math.floor(name.length / 3)), Math.ceil(name.length / 2)) + 1
  for (const candidate of known) {
    if (name.length >= 3 && candidate.startsWith(name)) best ??= candidate
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Levenshtein distance, two rows at a time (Wagner and Fischer 1974). */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replace, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}

function excerpt(value: unknown): string {
  const plain = (_: string, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)
  const text = JSON.stringify(value, plain) ?? `a ${typeof value}`
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`
}
