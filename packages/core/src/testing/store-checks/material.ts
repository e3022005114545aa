import { type SubjectKey, type SubjectState, UNBORN } from '../../domain/subject.js'
import type { Delivery, IssuedCoupon, Store, StoredEvent, StoreTransaction } from '../../ports/store.js'

/** One promise of the port, with what shows whether it is kept. Each gets a store of its own, without content. */
export type StoreCheck = readonly [title: string, check: (store: Store) => Promise<void>]

/** Text that is easily spoiled on its way: quotes, backslashes, line breaks, braces, characters of any length. */
export const ODD = `it's "odd" \\ {a,NULL}\n\r\t 买菜 🍎 \u2028 %s $1`

export function user(id: string): SubjectKey {
  return { kind: 'user', id }
}

export function users(count: number): readonly SubjectKey[] {
  return Array.from({ length: count }, (_, index) => user(`u-${String(index).padStart(3, '0')}`))
}

export function idsOf(subjects: readonly { readonly key: SubjectKey }[]): readonly string[] {
  return subjects.map(({ key }) => key.id)
}

export function stateOf(state: Partial<SubjectState>): SubjectState {
  return { ...UNBORN, ...state }
}

/** A value as plain JSON, for comparing: parts of a state may still be unread text. */
export function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

export function eventOf(messageId: string, event: Partial<StoredEvent> = {}): StoredEvent {
  return {
    messageId,
    type: 'track',
    event: 'order_paid',
    userId: 'u-1',
    at: 1000,
    receivedAt: 1001,
    properties: {},
    ...event,
  }
}

export function deliveryOf(key: string, delivery: Partial<Delivery> = {}): Delivery {
  return {
    key,
    kind: 'message',
    state: 'planned',
    subject: user('u-1'),
    source: { journey: 'welcome', run: 'r-1', step: 'greet' },
    dueAt: 1000,
    claim: 0,
    attempt: 0,
    plannedAt: 1000,
    body: { what: 'hello', channel: 'console' },
    ...delivery,
  }
}

export function couponOf(grantKey: string, coupon: Partial<IssuedCoupon> = {}): IssuedCoupon {
  return {
    grantKey,
    subject: user('u-1'),
    issuedAt: 1000,
    coupon: { offer: 'fruit', name: '水果券', code: `code-${grantKey}`, value: 5 },
    ...coupon,
  }
}

/** Writes subjects whether they are new or not. */
export async function save(
  tx: StoreTransaction,
  keys: readonly SubjectKey[],
  change: { readonly state?: Partial<SubjectState>; readonly dueAt?: number | undefined },
): Promise<void> {
  const locked = await tx.lockSubjects(keys)
  await tx.saveSubjects(
    locked.map(({ key, state, isNew }) => ({
      key,
      state: { ...state, ...change.state },
      dueAt: change.dueAt,
      isNew,
    })),
  )
}

/** Adds one to a number that subjects carry, as an engine would: lock, compute, write. */
export async function increment(tx: StoreTransaction, keys: readonly SubjectKey[]): Promise<void> {
  const locked = await tx.lockSubjects(keys)
  await tx.saveSubjects(
    locked.map(({ key, state, isNew }) => ({
      key,
      state: { ...state, at: state.at + 1 },
      dueAt: undefined,
      isNew,
    })),
  )
}

/** Runs `count` of something at once. */
export function together<T>(count: number, run: (index: number) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => run(index)))
}

/** A door that one side opens and the other waits for. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/**
 * Runs `other` in a transaction of its own while `holder`'s is under way. Undefined for a store that runs one
 * transaction at a time: there, nothing of the kind can happen.
 */
export async function meanwhile<T>(
  store: Store,
  holder: (tx: StoreTransaction) => Promise<unknown>,
  other: (tx: StoreTransaction) => Promise<T>,
): Promise<T | undefined> {
  if (store.concurrency < 2) return undefined
  const [holds, mayEnd] = [gate(), gate()]
  const held = store.transaction(async (tx) => {
    await holder(tx)
    holds.open()
    await mayEnd.opened
  })
  try {
    await Promise.race([holds.opened, held])
    return await store.transaction(other)
  } finally {
    mayEnd.open()
    await held
  }
}
