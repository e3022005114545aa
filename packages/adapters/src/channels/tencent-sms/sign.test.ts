import { describe, expect, it } from 'vitest'
import { Secret } from '../../http/secret.js'
import { tc3Authorization } from './sign.js'

describe('the signature of a request to Tencent Cloud', () => {
  it('is the one of the documentation', () => {
    const request = {
      service: 'cvm',
      host: 'cvm.tencentcloudapi.com',
      contentType: 'application/json; charset=utf-8',
      body: String.raw`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`,
      at: new Date(1_551_113_065_000),
    }
    const secret = {
      id: 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE',
      key: new Secret('Gu5t9xGARNpq86cd98joQYCN3EXAMPLE'),
    }
    expect(tc3Authorization(request, secret)).toBe(
      'TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, ' +
        'SignedHeaders=content-type;host, ' +
        'Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168',
    )
  })

  // What tencentcloud-sdk-nodejs-sms 4.1.306 sent for the same message, byte for byte.
  it('is the one of the official SDK', () => {
    const body = JSON.stringify({
      PhoneNumberSet: ['+8613800000001'],
      SmsSdkAppId: '1400006666',
      TemplateId: '449739',
      SignName: '邻里',
      TemplateParamSet: ['草莓', '8 点'],
      SessionContext: 'd-1',
    })
    const request = {
      service: '127',
      host: '127.0.0.1',
      contentType: 'application/json',
      body,
      at: new Date(1_772_337_600_000),
    }
    expect(tc3Authorization(request, { id: 'AKIDfake', key: new Secret('fake-tencent-secret') })).toBe(
      'TC3-HMAC-SHA256 Credential=AKIDfake/2026-03-01/127/tc3_request, SignedHeaders=content-type;host, ' +
        'Signature=acbd805b7bd04612fdeea840339f7e899ecef12641eb4a2ebf94d109af88f18f',
    )
  })
})
