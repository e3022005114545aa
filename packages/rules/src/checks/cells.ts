/** Which values a fact can have. */
export type Range =
  | {
      readonly kind: 'numbers'
      readonly low: number
      readonly high: number
      readonly whole: boolean
      /** Whether it may have no value. */
      readonly absent: boolean
    }
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  /** Texts in an order: `near` gives, of some constants, those and at least one of each stretch between them. */
  | { readonly kind: 'texts'; readonly near: (constants: readonly unknown[]) => readonly unknown[] | undefined }
  | { readonly kind: 'anything' }

/**
 * Values that all comparisons of a rule treat alike, so that one of them answers for all. Of texts, lists and objects
 * that no constant names, not every comparison can be answered so: see `answerOf`.
 */
export interface Cell {
  readonly kind: 'value' | 'text' | 'list' | 'object'
  /** One of its values; undefined stands for no value. */
  readonly sample: unknown
  /** Between which numbers its values lie: the bounds belong to it unless it is open. NaN where it has no numbers. */
  readonly low: number
  readonly high: number
  readonly open: boolean
}

/** The values of a range, cut where any of the constants tells them apart. */
export function cellsOf(range: Range, constants: readonly unknown[]): readonly Cell[] {
  switch (range.kind) {
    case 'numbers': {
      const cells = numberCells(range, numbersAmong(constants))
      return range.absent ? [...cells, valueCell(undefined)] : cells
    }
    case 'values':
      return range.values.map(valueCell)
    case 'texts':
      return range.near(constants)?.map(valueCell) ?? anyCells(constants)
    default:
      return anyCells(constants)
  }
}

function valueCell(sample: unknown): Cell {
  const number = typeof sample === 'number' ? sample : Number.NaN
  return { kind: 'value', sample, low: number, high: number, open: false }
}

/** Each constant, and what lies between, below and above them. */
function numberCells(
  { low, high, whole }: { readonly low: number; readonly high: number; readonly whole: boolean },
  constants: readonly number[],
): Cell[] {
  const inside = constants.filter((constant) => low <= constant && constant <= high)
  const ends = [low, high].filter(Number.isFinite)
  const points = [...new Set([...inside, ...ends])].sort((a, b) => a - b)
  const cells = points.filter((point) => !whole || Number.isInteger(point)).map(valueCell)
  const edges = [...(low === -Infinity ? [low] : []), ...points, ...(high === Infinity ? [high] : [])]
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1]
    const between = to === undefined ? undefined : betweenCell(from, to, whole)
    if (between !== undefined) cells.push(between)
  }
  return cells
}

/** What lies between two numbers, without them; undefined where nothing does. */
function betweenCell(from: number, to: number, whole: boolean): Cell | undefined {
  if (whole) {
    const low = Math.floor(from) + 1
    const high = Math.ceil(to) - 1
    if (low > high) return undefined
    return {
      kind: 'value',
      sample: Number.isFinite(low) ? low : Number.isFinite(high) ? high : 0,
      low,
      high,
      open: false,
    }
  }
  const sample = numberBetween(from, to)
  // Next to each other: no number lies between.
  if (sample <= from || sample >= to) return undefined
  return { kind: 'value', sample, low: from, high: to, open: true }
}

function numberBetween(from: number, to: number): number {
  if (Number.isFinite(from) && Number.isFinite(to)) return from / 2 + to / 2
  if (Number.isFinite(from)) return Math.min(Number.MAX_VALUE, from + Math.max(1, Math.abs(from)))
  return Number.isFinite(to) ? Math.max(-Number.MAX_VALUE, to - Math.max(1, Math.abs(to))) : 0
}

/** All that JSON can be, and no value. */
function anyCells(constants: readonly unknown[]): readonly Cell[] {
  const unlimited = { low: -Infinity, high: Infinity, whole: false }
  const numbers = numberCells(unlimited, numbersAmong(constants))
  const named = new Set(constants.filter((constant) => typeof constant === 'string'))
  const text = (sample: string): Cell => {
    // A text that no constant names, and that is the same number.
    let unnamed = sample
    while (named.has(unnamed)) unnamed += ' '
    return { kind: 'text', sample: unnamed, low: Number.NaN, high: Number.NaN, open: false }
  }
  return [
    ...[undefined, null, true, false, ...named].map(valueCell),
    ...numbers,
    ...numbers.map(({ sample }) => text(String(sample))),
    text('text'),
    { ...text(''), kind: 'list', sample: [] },
    { ...text(''), kind: 'object', sample: {} },
  ]
}

/** Numbers that tell values apart: also those that JavaScript makes of texts, booleans and null when it orders them. */
function numbersAmong(constants: readonly unknown[]): readonly number[] {
  return constants.map(Number).filter((number) => !Number.isNaN(number))
}
