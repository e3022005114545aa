import { compareText } from '../text-order.js'

/** Something that a `DueQueue` can hold. */
export interface Due {
  /** Decides between equal instants. */
  readonly name: string
  dueAt: number | undefined
  /** Its place in the queue, kept by the queue; -1 while it is in none. */
  place: number
}

/** What is due when: a binary heap whose items know their place, so that nothing stale stays in it. */
export class DueQueue<T extends Due> {
  readonly #heap: T[] = []

  /** When the first item is due; undefined when none is. */
  get next(): number | undefined {
    return this.#heap[0]?.dueAt
  }

  /** Gives an item a new due time, and takes it out when that is undefined. */
  schedule(item: T, dueAt: number | undefined): void {
    const before = item.dueAt
    if (dueAt === undefined) {
      this.#remove(item)
      item.dueAt = undefined
      return
    }
    item.dueAt = dueAt
    if (item.place < 0) {
      item.place = this.#heap.length
      this.#heap.push(item)
      this.#up(item)
    } else if (before !== dueAt) {
      this.#up(item)
      this.#down(item)
    }
  }

  /** Items that are due by `until`, the longest due first, of one instant by name. They stay in the queue. */
  due(until: number, limit: number): readonly T[] {
    return this.#allDue(until, limit) ?? this.#firstDue(until, limit)
  }

  /** All that are due; undefined where there are more than `limit`. What is not due has nothing below it that is. */
  #allDue(until: number, limit: number): readonly T[] | undefined {
    const found: T[] = []
    const places = [0]
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      const item = this.#heap[place]
      if (item?.dueAt === undefined || item.dueAt > until) continue
      if (found.length === limit) return undefined
      found.push(item)
      places.push(2 * place + 1, 2 * place + 2)
    }
    return found.sort((a, b) => (isBefore(a, b) ? -1 : 1))
  }

  #firstDue(until: number, limit: number): readonly T[] {
    const found: T[] = []
    while (found.length < limit) {
      const first = this.#heap[0]
      if (first?.dueAt === undefined || first.dueAt > until) break
      this.#remove(first)
      found.push(first)
    }
    for (const item of found) this.schedule(item, item.dueAt)
    return found
  }

  #remove(item: T): void {
    const { place } = item
    if (place < 0) return
    item.place = -1
    const last = this.#heap.pop()
    if (last === undefined || last === item) return
    last.place = place
    this.#heap[place] = last
    this.#up(last)
    this.#down(last)
  }

  #up(item: T): void {
    let { place } = item
    while (place > 0) {
      const parent = this.#heap[(place - 1) >> 1]
      if (parent === undefined || !isBefore(item, parent)) break
      this.#put(parent, place)
      place = (place - 1) >> 1
    }
    this.#put(item, place)
  }

  #down(item: T): void {
    let { place } = item
    for (;;) {
      const left = this.#heap[2 * place + 1]
      const right = this.#heap[2 * place + 2]
      const isRight = left !== undefined && right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (child === undefined || !isBefore(child, item)) break
      this.#put(child, place)
      place = 2 * place + (isRight ? 2 : 1)
    }
    this.#put(item, place)
  }

  #put(item: T, place: number): void {
    item.place = place
    this.#heap[place] = item
  }
}

function isBefore(a: Due, b: Due): boolean {
  const left = a.dueAt ?? 0
  const right = b.dueAt ?? 0
  return left === right ? compareText(a.name, b.name) < 0 : left < right
}
