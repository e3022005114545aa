import type { IncomingEvent } from '@linli/core'
import type { Neighbour } from './neighbours.js'
import { amountOf, type Item, type Product } from './products.js'

/** Collects what the neighbours do, in any order; `events` gives it in the order it happened. */
export class Diary {
  private readonly entries: { readonly at: number; readonly event: Omit<IncomingEvent, 'messageId'> }[] = []
  private carts = 0
  private orders = 0

  /** `name` sets this diary's ids apart from those of others. */
  constructor(private readonly name: string) {}

  /** A neighbour appears: where they live, who they are, whether they agree to promotions. */
  arrive({ id, name, home, community, consent, followsMiniProgram }: Neighbour, at: number): void {
    const { leaderId, name: communityName } = community
    this.add(at, { type: 'group', userId: id, groupId: community.id, traits: { name: communityName, leaderId } })
    const address = { phone: `+86-demo-${id}`, ...(followsMiniProgram && { openid: `demo-${id}` }) }
    this.add(at, { type: 'identify', userId: id, traits: { name, home, ...address } })
    if (consent !== 'never asked') this.track(at, id, 'consent_granted', { class: 'promotion' })
  }

  track(at: number, userId: string, event: string, properties: Readonly<Record<string, unknown>> = {}): void {
    this.add(at, { type: 'track', event, userId, properties })
  }

  /** Puts something into a cart; gives the cart's id. */
  fillCart(at: number, userId: string, { sku, name, category, price }: Product): string {
    this.carts += 1
    const cartId = `${this.name}-cart-${this.carts}`
    this.track(at, userId, 'cart_added', { cartId, sku, name, category, price })
    return cartId
  }

  /** Pays for what is in a cart, or buys without one. */
  order(at: number, { id, community }: Neighbour, items: readonly Item[], cartId?: string): void {
    this.orders += 1
    const orderId = `${this.name}-order-${this.orders}`
    const cart = cartId === undefined ? {} : { cartId }
    this.track(at, id, 'order_paid', { orderId, ...cart, communityId: community.id, amount: amountOf(items), items })
  }

  events(): readonly IncomingEvent[] {
    const inOrder = this.entries.toSorted((a, b) => a.at - b.at)
    return inOrder.map(({ at, event }, index) => ({
      ...event,
      messageId: `${this.name}-${String(index + 1).padStart(4, '0')}`,
      timestamp: at,
    }))
  }

  private add(at: number, event: Omit<IncomingEvent, 'messageId'>): void {
    this.entries.push({ at, event })
  }
}
