import { EngineError } from '../errors.js'
import type { Store } from '../ports/store.js'
import type { Programs } from '../subjects/programs.js'

/** Codes for the pool of an offer, in the order in which they are to be given away. */
export type Codes = Iterable<string> | AsyncIterable<string>

/** What became of codes that were loaded. */
export interface CodesAdded {
  readonly added: number
  /** Codes that were there already: in this pool, given away or not, or in that of another offer. */
  readonly duplicates: number
  /** How many there are now that have not been given away. */
  readonly left: number
}

/** How many codes one transaction takes. */
const BATCH = 5_000
/** A code: 1 to 100 characters that are seen. */
const CODE = /^[\p{L}\p{N}\p{P}\p{S}]{1,100}$/u

/** Loads codes of the shop's own into the pool of an offer, batch by batch. Loading the same again changes nothing. */
export async function loadCodes(
  store: Store,
  programs: Programs,
  { offer, codes }: { readonly offer: string; readonly codes: Codes },
): Promise<CodesAdded> {
  await mustTakeCodes(store, programs, offer)
  let [given, added] = [0, 0]
  const load = async (batch: readonly string[]) => {
    given += batch.length
    added += await store.transaction((tx) => tx.addCodes(offer, batch))
  }
  let batch: string[] = []
  for await (const code of codes) {
    batch.push(validCode(code, given + batch.length))
    if (batch.length < BATCH) continue
    await load(batch)
    batch = []
  }
  if (batch.length > 0) await load(batch)
  const left = (await store.readPools()).get(offer)?.codes?.left ?? 0
  return { added, duplicates: given - added, left }
}

async function mustTakeCodes(store: Store, programs: Programs, id: string): Promise<void> {
  const { offers } = (await store.transaction((tx) => programs.in(tx))).program
  const offer = offers.get(id)
  if (offer === undefined) {
    const known = [...offers.keys()].join(', ') || 'none'
    throw new EngineError('rule.unknown', `There is no offer ${JSON.stringify(id)}. There are: ${known}.`, { rule: id })
  }
  if (offer.codes === 'given') return
  const message = `The offer ${JSON.stringify(id)} takes no codes: it makes its own, or an issuer does. Give it "codes": "given".`
  throw new EngineError('offer.codes', message, { offer: id })
}

/** Codes are secrets: what is wrong with one is said by its place. */
function validCode(code: unknown, index: number): string {
  if (typeof code === 'string' && CODE.test(code)) return code
  const message = `Code number ${index + 1} is none: a code has 1 to 100 characters, without spaces. Those before it may have been loaded; loading all again is safe.`
  throw new EngineError('code.invalid', message, { number: index + 1 })
}
