/** The codes of one pool, in the order in which they were loaded. */
interface CodeList {
  readonly codes: string[]
  /** All before this one are given away. */
  next: number
}

/** Codes that shops have loaded, by offer. */
export class CodeLists {
  readonly #lists = new Map<string, CodeList>()
  readonly #places = new Map<string, { readonly list: CodeList; readonly index: number }>()
  readonly #given = new Set<string>()

  has(code: string): boolean {
    return this.#places.has(code)
  }

  add(offer: string, code: string): void {
    const list = this.#lists.get(offer) ?? { codes: [], next: 0 }
    this.#lists.set(offer, list)
    this.#places.set(code, { list, index: list.codes.length })
    list.codes.push(code)
  }

  mark(code: string, given: boolean): void {
    if (given) {
      this.#given.add(code)
      return
    }
    this.#given.delete(code)
    const place = this.#places.get(code)
    if (place !== undefined) place.list.next = Math.min(place.list.next, place.index)
  }

  /** The first that is left, seen from a transaction that has given some away (`true`) and put some back. */
  first(offer: string, given: ReadonlyMap<string, boolean>): string | undefined {
    const list = this.#lists.get(offer)
    if (list === undefined) return undefined
    while (this.#given.has(list.codes[list.next] ?? '')) list.next += 1
    const back = [...given].flatMap(([code, isGiven]) => (isGiven ? [] : [this.#places.get(code)]))
    const places = back.flatMap((place) => (place?.list === list ? [place.index] : []))
    let index = list.next
    while (index < list.codes.length && this.#isGiven(list.codes[index] ?? '', given)) index += 1
    return list.codes[Math.min(index, ...places)]
  }

  #isGiven(code: string, given: ReadonlyMap<string, boolean>): boolean {
    return given.get(code) ?? this.#given.has(code)
  }

  left(offer: string): number {
    const codes = this.#lists.get(offer)?.codes ?? []
    return codes.filter((code) => !this.#given.has(code)).length
  }
}
