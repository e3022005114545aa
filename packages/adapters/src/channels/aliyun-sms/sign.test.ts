import { describe, expect, it } from 'vitest'
import { Secret } from '../../http/secret.js'
import { sha256 } from '../../sms/digest.js'
import { acs3Authorization, queryOf } from './sign.js'

describe('the signature of a request to Aliyun', () => {
  it('is the one of the documentation', () => {
    const headers = {
      host: 'ecs.cn-shanghai.aliyuncs.com',
      'x-acs-action': 'RunInstances',
      'x-acs-content-sha256': sha256(''),
      'x-acs-date': '2023-10-26T10:22:32Z',
      'x-acs-signature-nonce': '3156853299f313e23d1673dc12e1703d',
      'x-acs-version': '2014-05-26',
    }
    const query = { RegionId: 'cn-shanghai', ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd' }
    const key = { id: 'YourAccessKeyId', secret: new Secret('YourAccessKeySecret') }
    expect(acs3Authorization({ method: 'POST', path: '/', query, headers, body: '' }, key)).toBe(
      'ACS3-HMAC-SHA256 Credential=YourAccessKeyId,' +
        'SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,' +
        'Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
    )
  })

  // What @alicloud/dysmsapi20170525 4.6.0 sent for the same message, byte for byte.
  it('and the query are the ones of the official SDK', () => {
    const query = {
      PhoneNumbers: '13800000001',
      SignName: '邻里',
      TemplateCode: 'SMS_154950909',
      TemplateParam: JSON.stringify({ name: '草莓', time: '8 点' }),
      OutId: 'd-1',
    }
    const headers = {
      host: '127.0.0.1:36183',
      'x-acs-action': 'SendSms',
      'x-acs-content-sha256': sha256(''),
      'x-acs-credentials-provider': 'static_ak',
      'x-acs-date': '2026-11-26T20:52:23Z',
      'x-acs-signature-nonce': '613546d3d8b1335b0ca29fba98bb9b7b8efe58e5c33e5a7d3ed49280ae77aa2a',
      'x-acs-version': '2017-05-25',
    }
    const key = { id: 'LTAIfake', secret: new Secret('fake-aliyun-secret') }
    expect(queryOf(query)).toBe(
      'OutId=d-1&PhoneNumbers=13800000001&SignName=%E9%82%BB%E9%87%8C&TemplateCode=SMS_154950909&TemplateParam=' +
        '%7B%22name%22%3A%22%E8%8D%89%E8%8E%93%22%2C%22time%22%3A%228%20%E7%82%B9%22%7D',
    )
    expect(acs3Authorization({ method: 'POST', path: '/', query, headers, body: '' }, key)).toMatch(
      /Signature=7690684ef39f6105f18e448c063855443e2824cb45ea3a5034aa77c74a5d83d2$/,
    )
  })

  it('encodes what RFC 3986 reserves', () => {
    expect(queryOf({ b: "!'()*~ +/&=", a: '1' })).toBe('a=1&b=%21%27%28%29%2A~%20%2B%2F%26%3D')
  })
})
