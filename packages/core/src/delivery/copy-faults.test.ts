import { describe, expect, it } from 'vitest'
import { copyFault, trimmedCopy } from './copy-faults.js'

const request = {
  key: 'k',
  template: 't',
  instructions: '请王阿姨试吃红富士苹果，9.9元 2斤，18:00 前下单。链接 https://shop.example.cn/p/1',
  maxLength: 40,
  forbid: ['最低价', 'VIP'],
}

const fault = (text: string) => copyFault(text, request)

describe('a text that was written', () => {
  it.each([
    ['王阿姨，红富士9.9元2斤，18:00前来尝尝吧！🍎'],
    ['王阿姨👩‍👩‍👧，今天的苹果脆甜多汁～'],
    ['点 https://shop.example.cn/p/1 就能下单'],
  ])('may be sent: %s', (text) => {
    expect(fault(text)).toBeUndefined()
  })

  it.each([
    ['', 'empty'],
    ['苹'.repeat(41), 'too long'],
    ['第一行\n第二行', 'unreadable'],
    ['藏着\u202e反的', 'unreadable'],
    ['全网最低价的苹果', 'forbidden word'],
    ['尊贵的ＶＩＰ，苹果来了', 'forbidden word'],
    ['尊贵的vip，苹果来了', 'forbidden word'],
    ['点 https://evil.example.com 领取', 'link'],
    ['点 https://shop.example.cn/p/2 领取', 'link'],
    ['去 evil-shop.com 看看', 'link'],
    ['苹果只要8.8元', 'number'],
    ['苹果只要９元', 'number'],
    ['电话13800000000', 'number'],
  ])('%j is not used: %s', (text, why) => {
    expect(fault(text)).toBe(why)
  })

  it('counts characters as people do', () => {
    expect(fault('👩‍👩‍👧'.repeat(40))).toBeUndefined()
    expect(fault('👩‍👩‍👧'.repeat(41))).toBe('too long')
  })

  it('is freed of what stands around it', () => {
    expect(trimmedCopy('\n “王阿姨，来尝尝” \n')).toBe('王阿姨，来尝尝')
    expect(trimmedCopy('"甲"和"乙"')).toBe('"甲"和"乙"')
    expect(trimmedCopy('「苹果」')).toBe('苹果')
  })
})
