import type { Random } from './random.js'

export type Category = 'organic_vegetable' | 'vegetable' | 'fruit' | 'dairy' | 'staple' | 'egg' | 'meat'

export interface Product {
  readonly sku: string
  readonly name: string
  readonly category: Category
  /** In yuan. */
  readonly price: number
}

/** One line of an order. */
export interface Item extends Product {
  readonly quantity: number
}

const product = (sku: string, name: string, category: Category, price: number): Product => ({
  sku,
  name,
  category,
  price,
})

export const PRODUCTS: readonly Product[] = [
  product('v-101', '有机上海青 400g', 'organic_vegetable', 8.9),
  product('v-102', '有机番茄 500g', 'organic_vegetable', 12.8),
  product('v-103', '有机西兰花 350g', 'organic_vegetable', 11.5),
  product('v-104', '有机胡萝卜 500g', 'organic_vegetable', 7.9),
  product('v-105', '有机菠菜 300g', 'organic_vegetable', 9.6),
  product('v-201', '土豆 1kg', 'vegetable', 5.8),
  product('v-202', '大白菜 1 颗', 'vegetable', 4.5),
  product('v-203', '铁棍山药 500g', 'vegetable', 13.9),
  product('f-101', '赣南脐橙 2.5kg', 'fruit', 29.9),
  product('f-102', '烟台红富士 1.5kg', 'fruit', 19.9),
  product('f-103', '海南香蕉 1kg', 'fruit', 9.9),
  product('d-101', '鲜牛奶 950ml', 'dairy', 13.5),
  product('d-102', '原味酸奶 8 杯', 'dairy', 16.8),
  product('d-103', '儿童奶酪棒 20 支', 'dairy', 32.9),
  product('s-101', '五常大米 5kg', 'staple', 49.9),
  product('s-102', '手工馒头 8 个', 'staple', 9.9),
  product('e-101', '散养土鸡蛋 30 枚', 'egg', 39.9),
  product('m-101', '黑猪前腿肉 500g', 'meat', 26.8),
]

/** What is new in the area on the day of the launch. */
export const NEW_FRUIT: Product = product('f-201', '丹东九九草莓', 'fruit', 39.9)

export function pickItem(random: Random, category: Category, quantity = 1): Item {
  return { ...random.pick(PRODUCTS.filter((one) => one.category === category)), quantity }
}

/** The sum of an order, in yuan and whole fen. */
export function amountOf(items: readonly Item[]): number {
  return Math.round(items.reduce((sum, { price, quantity }) => sum + price * quantity, 0) * 100) / 100
}
