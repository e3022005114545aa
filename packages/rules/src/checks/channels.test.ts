import { describe, expect, it } from 'vitest'
import { journey, tag, template } from '../../testing/packs.js'
import { definePack } from '../define.js'
import { reviewPack } from './meaning.js'

const send = (channel: unknown) => ({ template: 't', channel, class: 'service' })

function pack(channels: readonly unknown[], ...more: readonly unknown[]) {
  const steps = channels.map((channel, index) => ({ id: `s${index}`, send: send(channel) }))
  return definePack([journey({ steps }), template('x'), ...more])
}

describe('a channel', () => {
  it('is one of those that the host names', () => {
    const channels = ['sms', 'webhook']
    expect(reviewPack(pack(['sms', ['webhook', 'sms']]), { channels })).toEqual([])
    expect(reviewPack(pack(['sms', ['sms', 'webhok']]), { channels })).toMatchObject([
      {
        severity: 'error',
        code: 'channel.unknown',
        pointer: '/0/steps/1/send/channel/1',
        found: '"webhok"',
        suggestion: 'webhook',
        message: 'There is no channel "webhok". There are: sms, webhook. Did you mean "webhook"?',
      },
    ])
  })

  it('is known in policies and conditions, too', () => {
    const policy = { kind: 'policy', id: 'p', cap: { max: 2, within: '7d', channels: ['sms', 'fax'] } }
    const told = { fact: 'messageCount', params: { channel: 'fax', within: '7d' }, operator: 'equal', value: 0 }
    const agreed = { fact: 'consent', params: { channel: 'fax' }, operator: 'equal', value: true }
    const known = reviewPack(pack(['sms'], policy, tag({ all: [told, agreed] })), { channels: ['sms'] })
    expect(known.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([
      'channel.unknown /2/cap/channels/1',
      'channel.unknown /3/conditions/all/0/params/channel',
      'channel.unknown /3/conditions/all/1/params/channel',
    ])
  })

  it('looks mistyped where another one is named often and nearly the same', () => {
    expect(reviewPack(pack(['wechat-miniprogram', 'wechat-miniprogram', 'wechat-minprogram']))).toMatchObject([
      {
        severity: 'warning',
        code: 'channel.rare',
        pointer: '/0/steps/2/send/channel',
        message: 'The channel "wechat-minprogram" is named here only. Did you mean "wechat-miniprogram"?',
      },
    ])
  })

  it.each([
    ['two channels of one letter more or less that are named often', ['mail', 'mail', 'email', 'email']],
    ['two names that stand once each', ['webhook', 'webhok']],
    ['short names', ['sms', 'sms', 'mms']],
    ['numbers', ['sms', 'sms', 'sms2', 'wecom-1', 'wecom-1', 'wecom-2']],
    ['names that are not alike', ['wechat-miniprogram', 'wechat-miniprogram', 'wechat-work']],
  ])('does not look mistyped: %s', (_, channels) => {
    expect(reviewPack(pack(channels))).toEqual([])
  })
})
