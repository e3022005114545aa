/** What WeChat takes as the value of a key, told by how the key begins (`thing1`, `amount2`). */
interface ValueRule {
  readonly fits: (text: string) => boolean
  readonly right: string
  /** How many characters there may be, where a text that is too long may be cut. */
  readonly most?: number
}

function pattern(regex: RegExp, right: string): ValueRule {
  return { fits: (text) => regex.test(text), right }
}

function length(most: number): ValueRule {
  return { fits: (text) => [...text].length <= most, right: `at most ${most} characters`, most }
}

const CJK = /\p{Script=Han}/u

/** https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html */
const RULES: ReadonlyMap<string, ValueRule> = new Map<string, ValueRule>([
  ['thing', length(20)],
  ['number', pattern(/^\d{1,32}(\.\d{1,32})?$/, 'digits, 32 at most')],
  ['letter', pattern(/^[A-Za-z]{1,32}$/, 'letters, 32 at most')],
  ['symbol', pattern(/^[^\p{L}\p{N}\s]{1,5}$/u, 'signs, 5 at most')],
  ['character_string', pattern(/^[\x20-\x7e]{1,32}$/, 'letters, digits and signs, 32 at most')],
  ['time', pattern(/\d/, 'a time such as 15:01, or 2019年10月1日 15:01')],
  ['date', pattern(/\d/, 'a date such as 2019年10月1日, or 2019-10-01')],
  ['amount', pattern(/^[^\d\s]?\d{1,10}(\.\d{1,2})?元?$/, 'a sign of a currency and at most 10 digits')],
  ['phone_number', pattern(/^[\d+\- ()]{1,17}$/, 'digits and signs, 17 at most')],
  ['car_number', pattern(/^.{1,8}$/u, 'at most 8 characters')],
  [
    'name',
    {
      fits: (text) => [...text].length <= (CJK.test(text) ? 10 : 20),
      right: '10 characters of Chinese, or 20 letters',
    },
  ],
  ['phrase', pattern(/^\p{Script=Han}{1,5}$/u, 'at most 5 characters of Chinese')],
])
const KEY = /^([a-z_]+?)\d+$/

/** Whether a field of a template is a value of WeChat's. */
export function isValueKey(key: string): boolean {
  return RULES.has(KEY.exec(key)?.[1] ?? '')
}

export interface Values {
  readonly data: Readonly<Record<string, { readonly value: string }>>
  /** Which key does not fit, and what would; the value itself is not told. */
  readonly problem?: string
}

/** The values for WeChat, each as its key wants it. `cut`: texts that are too long end in `…`. */
export function valuesFor(fields: Readonly<Record<string, string>>, cut: boolean): Values {
  const data: Record<string, { value: string }> = {}
  for (const [key, text] of Object.entries(fields)) {
    const rule = RULES.get(KEY.exec(key)?.[1] ?? '')
    if (rule === undefined) continue
    const value = cut && rule.most !== undefined ? shortened(text, rule.most) : text
    if (value === '' || !rule.fits(value)) return { data, problem: `${key} should have ${rule.right}` }
    data[key] = { value }
  }
  return { data }
}

function shortened(text: string, most: number): string {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`
}
